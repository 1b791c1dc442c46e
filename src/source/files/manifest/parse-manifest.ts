import { LineCounter } from 'yaml';
import type { Path } from '../../../resources/model.ts';
import { pathText } from '../../../resources/resources.ts';
import type { Finding, Position } from '../../finding.ts';
import { limits } from './limits.ts';
import { offsetOf } from './node-place.ts';
import { NodeReader } from './node-reader.ts';
import { type ObjectContent, readObject, unpack } from './read-object.ts';
import { Unparsable } from './manifest-error.ts';
import { yamlDocuments } from './yaml-documents.ts';

/** An object that stands in a file. */
export interface PlacedObject {
  readonly content: ObjectContent;
  readonly position: Position;
}

/** What a file says. Unparsable is a file as a whole. */
export type Manifest =
  | { readonly ok: true; readonly objects: readonly PlacedObject[]; readonly findings: readonly Finding[] }
  | { readonly ok: false; readonly position: Position | undefined; readonly reason: string };

/**
 * Reads the objects of a text, in their order: YAML 1.2 or JSON, several documents, those without content left out.
 *
 * @param namespaces the only ones whose objects count; empty: all
 */
export function parseManifest(text: string, namespaces: readonly string[]): Manifest {
  const lines = new LineCounter();
  try {
    return readDocuments(text, lines, namespaces);
  } catch (error) {
    if (!(error instanceof Unparsable)) throw error;
    return { ok: false, position: position(lines, error.offset), reason: error.message };
  }
}

function readDocuments(text: string, lines: LineCounter, namespaces: readonly string[]): Manifest {
  const reader = new NodeReader(text);
  const objects: PlacedObject[] = [];
  const findings: Finding[] = [];
  const untold = { error: 0, warning: 0 };
  for (const { contents } of yamlDocuments(text, lines)) {
    const document = reader.document(contents);
    if (contents === null || document === null) continue;
    const placeOf = (path: Path): Position => position(lines, offsetOf(contents, path, reader));
    for (const { value, path } of unpack(document)) {
      const { content, title, problems } = readObject(value, namespaces);
      if (content !== undefined) objects.push({ content, position: placeOf(path) });
      for (const { severity, path: at, message } of problems) {
        if (findings.length >= limits.problems) untold[severity] += 1;
        else
          findings.push({ severity, position: placeOf([...path, ...at]), object: title, field: pathText(at), message });
      }
    }
  }
  return { ok: true, objects, findings: [...findings, ...summary(untold)] };
}

/** One line for what is left out, as severe as the worst of it. */
function summary({ error, warning }: Readonly<Record<Finding['severity'], number>>): readonly Finding[] {
  if (error + warning === 0) return [];
  const severity = error > 0 ? 'error' : 'warning';
  const message = `The file has ${error} more errors and ${warning} more warnings: mend the listed ones first.`;
  return [{ severity, position: undefined, object: undefined, field: '', message }];
}

function position(lines: LineCounter, offset: number): Position {
  const { line, col } = lines.linePos(offset);
  return { line, column: col };
}
