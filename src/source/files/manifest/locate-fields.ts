import { LineCounter } from 'yaml';
import type { Path } from '../../../resources/model.ts';
import type { Position } from '../../diagnostics.ts';
import { ManifestError } from './manifest-error.ts';
import { NodeReader, offsetOf } from './node-reader.ts';
import { unpack } from './read-object.ts';
import { yamlDocuments } from './yaml-documents.ts';

/** A field of an object of a file. */
export interface FieldRef {
  /** Where the object begins, as `parseManifest` found it. */
  readonly object: Position;
  readonly path: Path;
}

/**
 * Finds the positions of fields: the key of an entry, the start of anything else; of a field that is missing that of the
 * nearest ancestor. Positions are not kept with the objects, since few are ever asked for: the text is parsed again, up
 * to the last object. A text that changed since gives the position of the object.
 */
export function locateFields(text: string, fields: readonly FieldRef[]): readonly Position[] {
  const wanted = new Map<string, number[]>();
  for (const [at, { object }] of fields.entries())
    wanted.set(positionKey(object), [...(wanted.get(positionKey(object)) ?? []), at]);
  const found = fields.map(({ object }) => object);
  const lines = new LineCounter();
  const reader = new NodeReader(text);
  const positionOf = (offset: number): Position => {
    const { line, col } = lines.linePos(offset);
    return { line, column: col };
  };
  try {
    for (const { contents } of yamlDocuments(text, lines)) {
      const document = reader.document(contents);
      if (contents === null || document === null) continue;
      for (const { path } of unpack(document)) {
        const key = positionKey(positionOf(offsetOf(contents, path, reader)));
        for (const at of wanted.get(key) ?? []) {
          found[at] = positionOf(offsetOf(contents, [...path, ...(fields[at]?.path ?? [])], reader));
        }
        wanted.delete(key);
      }
      if (wanted.size === 0) break;
    }
  } catch (error) {
    if (!(error instanceof ManifestError)) throw error;
  }
  return found;
}

function positionKey({ line, column }: Position): string {
  return `${line}:${column}`;
}
