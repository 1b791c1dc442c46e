import { LineCounter } from 'yaml';
import { quoted } from '../../../json/quoted.ts';
import type { Path } from '../../../resources/model.ts';
import { labelsOfPart, pathText } from '../../../resources/resources.ts';
import type { Diagnostic, Position } from '../../diagnostics.ts';
import { limits, weightOf, weightOfPart } from './limits.ts';
import type { LongDocument } from './long-documents.ts';
import { ManifestError } from './manifest-error.ts';
import { NodeReader, offsetOf } from './node-reader.ts';
import { type PossibleObjects, possibleObjects } from './possible-objects.ts';
import { type ObjectContent, readObject, unpack } from './read-object.ts';
import { yamlDocuments } from './yaml-documents.ts';

/** An object and its position in a file. */
export interface PlacedObject {
  readonly content: ObjectContent;
  readonly position: Position;
}

/** The objects of a file, or why it is invalid as a whole. */
export type Manifest =
  | { readonly ok: true; readonly objects: readonly PlacedObject[]; readonly diagnostics: readonly Diagnostic[] }
  | {
      readonly ok: false;
      readonly position: Position | undefined;
      readonly reason: string;
      readonly possible: PossibleObjects;
    };

/**
 * Parses the objects of a text, in their order: YAML 1.2 or JSON, one or more documents, empty ones skipped.
 *
 * @param namespaces the only ones whose objects count; empty: all
 */
export function parseManifest(text: string, namespaces: readonly string[]): Manifest {
  const lines = new LineCounter();
  try {
    return readDocuments(text, lines, namespaces);
  } catch (error) {
    if (!(error instanceof ManifestError)) throw error;
    const position = positionOf(lines, error.offset);
    return { ok: false, position, reason: error.message, possible: possibleObjects(text) };
  }
}

function readDocuments(text: string, lines: LineCounter, namespaces: readonly string[]): Manifest {
  const reader = new NodeReader(text);
  const objects: PlacedObject[] = [];
  let weight = 0;
  const diagnostics: Diagnostic[] = [];
  const omitted = { error: 0, warning: 0 };
  const left: LongDocument[] = [];
  for (const { contents } of yamlDocuments(text, lines, (document) => left.push(document))) {
    const document = reader.document(contents);
    if (contents === null || document === null) continue;
    const locate = (path: Path): Position => positionOf(lines, offsetOf(contents, path, reader));
    for (const { value, path } of unpack(document)) {
      const { content, title, problems } = readObject(value, namespaces);
      if (content !== undefined) {
        weight += weightOf(content);
        if (weight > limits.objects) throw new ManifestError(offsetOf(contents, path, reader), tooMany);
        objects.push({ content, position: locate(path) });
      }
      for (const { severity, path: at, message } of problems) {
        if (diagnostics.length >= limits.diagnostics) omitted[severity] += 1;
        else {
          const position = locate([...path, ...at]);
          diagnostics.push({ severity, position, object: title, field: pathText(at), message });
        }
      }
    }
  }
  const long = left.map((document) => tooLong(document, positionOf(lines, document.offset)));
  return { ok: true, objects, diagnostics: [...long, ...diagnostics, ...summary(omitted)] };
}

const tooMany =
  `The file has more than ${limits.objects} objects: split it. A further MCP port of a Service, Gateway of a policy, ` +
  `listener of a Gateway, or ${labelsOfPart} labels of a Namespace, counts as ${weightOfPart}, and so do 8 KiB of a ` +
  "policy's rules, once and for each of its Gateways.";

/** Says that a document was not even parsed; its kind would be ignored in any case. */
function tooLong({ kind }: LongDocument, position: Position): Diagnostic {
  const message = `This document is too long to be parsed, and left out: its kind ${quoted(kind)} is not read.`;
  return { severity: 'warning', position, object: undefined, field: '', message };
}

/** Returns one diagnostic for those that are not listed, with their highest severity. */
function summary({ error, warning }: Readonly<Record<Diagnostic['severity'], number>>): readonly Diagnostic[] {
  if (error + warning === 0) return [];
  const severity = error > 0 ? 'error' : 'warning';
  const message = `The file has ${error} more errors and ${warning} more warnings: mend the listed ones first.`;
  return [{ severity, position: undefined, object: undefined, field: '', message }];
}

function positionOf(lines: LineCounter, offset: number): Position {
  const { line, col } = lines.linePos(offset);
  return { line, column: col };
}
