import type { Position } from '../diagnostics.ts';
import type { ManifestFile } from './manifest/manifest-file.ts';
import type { ManifestStore } from './manifest-store.ts';

/** Characters of a document that are returned; a list of many objects may be longer. */
const maxText = 64 * 1024;

/**
 * Reads the YAML document that an object stands in, as it is written; undefined when object or file are gone. Does not
 * parse: a file may be large, and what has changed since it was read is shown as it is.
 */
export async function documentOf(
  store: ManifestStore,
  object: string,
  read: (file: ManifestFile) => Promise<string | undefined>,
): Promise<string | undefined> {
  const found = store.placeOf(object);
  if (found === undefined) return undefined;
  const text = await read(found.file);
  return text === undefined ? undefined : documentAt(text, found.position);
}

/** The lines around a position up to the separators of documents; from the position on, when they are too many. */
function documentAt(text: string, { line }: Position): string {
  const lines = text.split('\n');
  const isSeparator = (one: string): boolean => /^---(\s|$)/.test(one);
  const before = lines.slice(0, line).findLastIndex(isSeparator);
  const after = lines.findIndex((one, index) => index >= line && isSeparator(one));
  const whole = lines.slice(before + 1, after === -1 ? undefined : after).join('\n');
  if (whole.length <= maxText) return `${whole.trim()}\n`;
  const rest = lines.slice(line - 1, after === -1 ? undefined : after).join('\n');
  return rest.length <= maxText ? rest : `${rest.slice(0, maxText).toWellFormed()}\n# … (the document is longer)\n`;
}
