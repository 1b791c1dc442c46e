import type { Path } from '../../resources/model.ts';
import { type Position, placeText } from '../diagnostics.ts';
import type { FieldRef } from './manifest/locate-fields.ts';
import type { ManifestFile } from './manifest/manifest-file.ts';
import type { ManifestStore } from './manifest-store.ts';

/** A field of an object, by `<Kind> <key>`. */
export interface ObjectField {
  readonly object: string;
  readonly path: Path;
}

/**
 * Finds the place of each field, `<file>:<line>:<column>`; undefined for an object that is not in the store. Reads and
 * parses each file once.
 *
 * @param read returns undefined for a text that is not to be parsed, such as a large one: then the place is the object's
 */
export async function placesOf(
  store: ManifestStore,
  fields: readonly ObjectField[],
  read: (file: ManifestFile) => Promise<string | undefined>,
): Promise<readonly (string | undefined)[]> {
  const places: (string | undefined)[] = fields.map(() => undefined);
  const byFile = new Map<
    string,
    { readonly file: ManifestFile; readonly refs: (FieldRef & { readonly at: number })[] }
  >();
  for (const [at, { object, path }] of fields.entries()) {
    const found = store.placeOf(object);
    if (found === undefined) continue;
    const { file, position } = found;
    const entry = byFile.get(file.path) ?? { file, refs: [] };
    byFile.set(file.path, entry);
    entry.refs.push({ at, object: position, path });
  }
  for (const { file, refs } of byFile.values()) {
    const text = refs.some(({ path }) => path.length > 0) ? await read(file) : undefined;
    const positions = text === undefined ? refs.map(({ object }) => object) : await located(text, refs);
    for (const [n, { at }] of refs.entries()) places[at] = placeText(file.path, positions[n]);
  }
  return places;
}

/** Loads the parser of YAML on demand. */
async function located(text: string, refs: readonly FieldRef[]): Promise<readonly Position[]> {
  const { locateFields } = await import('./manifest/locate-fields.ts');
  return locateFields(text, refs);
}
