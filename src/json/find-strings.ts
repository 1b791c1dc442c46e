import { endOfString } from './bounded-json.ts';

/** The longest string that is returned, in UTF-16 code units. */
const maxString = 4096;

/** The longest value that is returned, in UTF-16 code units. */
const maxValue = 64 * 1024;

/**
 * Returns the strings at some places of a JSON text without parsing it, for a text that is too large, has too many
 * values, or is cut off. Takes time in proportion to the text, and memory for what it returns only. The last one counts
 * where a key is repeated, as in JSON.parse; a key is found only in its plain spelling. A text that is no JSON yields
 * anything or nothing.
 *
 * @param paths keys joined by dots, such as `metadata.name`; arrays are not entered
 */
export function findStrings(text: string, paths: ReadonlySet<string>): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  scan(text, paths, (path, start, end) => {
    if (text.charCodeAt(start) !== quote || end - start > maxString) return;
    try {
      found.set(path, String(JSON.parse(text.slice(start, end))));
    } catch {
      // An invalid escape: the text is no JSON.
    }
  });
  return found;
}

/**
 * Returns the JSON texts of the strings, objects and arrays at some places, as {@link findStrings} does. One of more than
 * 64 KiB is there, and empty.
 */
export function findJson(text: string, paths: ReadonlySet<string>): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  scan(text, paths, (path, start, end) => found.set(path, end - start > maxValue ? '' : text.slice(start, end)));
  return found;
}

/** Passes on where each string, object and array at one of the paths begins and ends. */
function scan(
  text: string,
  paths: ReadonlySet<string>,
  found: (path: string, start: number, end: number) => void,
): void {
  const split = [...paths].map((path) => path.split('.'));
  const maxDepth = Math.max(...split.map(({ length }) => length));
  const lastNames = new Set(split.map((names) => names.at(-1)));
  /** The key of each open object, by depth, and where the value of that key began; an array has none. */
  const keys: (string | undefined)[] = [];
  const starts: number[] = [];
  let depth = 0;
  const report = (start: number, end: number): void => {
    if (!lastNames.has(keys[depth])) return;
    const names = keys.slice(1, depth + 1);
    const path = names.join('.');
    // A key may contain dots itself.
    if (paths.has(path) && path.split('.').length === names.length) found(path, start, end);
  };
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (code === quote) {
      const end = endOfString(text, index + 1);
      if (depth <= maxDepth && end < text.length) {
        if (!isKey(text, end + 1)) report(index, end + 1);
        else keys[depth] = end - index <= maxString ? text.slice(index + 1, end) : undefined;
      }
      index = end;
    } else if (code === openObject || code === openArray) {
      if (depth <= maxDepth) starts[depth] = index;
      depth += 1;
      // A name that no path has, so that what is in an array is not found.
      if (depth <= maxDepth) keys[depth] = code === openArray ? '[]' : undefined;
    } else if (code === closeObject || code === closeArray) {
      depth -= 1;
      if (depth > 0 && depth <= maxDepth) report(starts[depth] ?? index, index + 1);
    }
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
