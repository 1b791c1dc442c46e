import { endOfString } from './bounded-json.ts';

/** The longest string that is returned, in UTF-16 code units. */
const maxString = 4096;

/**
 * Returns the strings at some places of a JSON text without parsing it, for a text that is too large, has too many
 * values, or is cut off. Takes time in proportion to the text, and memory for what it returns only. The last one counts
 * where a key is repeated, as in JSON.parse; a key is found only in its plain spelling. A text that is no JSON yields
 * anything or nothing.
 *
 * @param paths keys joined by dots, such as `metadata.name`; arrays are not entered
 */
export function findStrings(text: string, paths: ReadonlySet<string>): ReadonlyMap<string, string> {
  const maxDepth = Math.max(...[...paths].map((path) => path.split('.').length));
  const found = new Map<string, string>();
  /** The key of each open object, by depth; an array has none. */
  const keys: (string | undefined)[] = [];
  let depth = 0;
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (code === quote) {
      const end = endOfString(text, index + 1);
      if (depth <= maxDepth && end - index <= maxString && end < text.length) {
        if (isKey(text, end + 1)) keys[depth] = text.slice(index + 1, end);
        else addString(found, paths, keys.slice(1, depth + 1), text.slice(index, end + 1));
      }
      index = end;
    } else if (code === openObject || code === openArray) {
      depth += 1;
      // A name that no path has, so that what is in an array is not found.
      if (depth <= maxDepth) keys[depth] = code === openArray ? '[]' : undefined;
    } else if (code === closeObject || code === closeArray) {
      depth -= 1;
    }
  }
  return found;
}

function addString(
  found: Map<string, string>,
  paths: ReadonlySet<string>,
  keys: readonly (string | undefined)[],
  quoted: string,
): void {
  const path = keys.join('.');
  // A key may contain dots itself.
  if (!paths.has(path) || path.split('.').length !== keys.length) return;
  try {
    found.set(path, String(JSON.parse(quoted)));
  } catch {
    // An invalid escape: the text is no JSON.
  }
}

/** Returns whether a colon follows. */
function isKey(text: string, from: number): boolean {
  let index = from;
  while (index < text.length && text.charCodeAt(index) <= space) index += 1;
  return text.charCodeAt(index) === colon;
}

const space = 0x20;
const quote = 0x22;
const colon = 0x3a;
const openArray = 0x5b;
const closeArray = 0x5d;
const openObject = 0x7b;
const closeObject = 0x7d;
