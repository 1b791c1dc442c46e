import { endOfString } from './bounded-json.ts';

/** Characters that are checked at once: few enough that what is made for it never leaves the young generation. */
const checkedAtOnce = 64 * 1024;

/**
 * Parses a JSON text without the long strings in some members, which are empty in the value: a file of 30 MB in a
 * message would otherwise be copied to be looked at by nobody. They are checked like all else. Takes time in
 * proportion to the text. A name is found only in its plain spelling.
 *
 * @param names of the members whose strings are left out
 * @param longest characters of a string that is not left out
 * @returns the value, wrapped, because it may be anything; undefined for text that is no JSON
 */
export function parseWithoutLongStrings(
  text: string,
  names: ReadonlySet<string>,
  longest: number,
): { readonly value: unknown } | undefined {
  try {
    const value: unknown = JSON.parse(withoutLongStrings(text, names, longest));
    return { value };
  } catch {
    return undefined;
  }
}

/** @throws SyntaxError when a string that is left out is none of JSON */
function withoutLongStrings(text: string, names: ReadonlySet<string>, longest: number): string {
  const kept: string[] = [];
  let from = 0;
  let name = '';
  let nameEnd = -1;
  for (let start = text.indexOf('"'); start !== -1; ) {
    const end = endOfString(text, start + 1);
    if (end - start > longest && end < text.length) {
      if (names.has(name) && isValueOf(text, nameEnd, start)) {
        checkString(text, start + 1, end);
        kept.push(text.slice(from, start + 1));
        from = end;
      }
      name = '';
    } else {
      name = end - start <= longestName ? text.slice(start + 1, end) : '';
    }
    nameEnd = end + 1;
    start = text.indexOf('"', nameEnd);
  }
  return kept.length === 0 ? text : kept.join('') + text.slice(from);
}

/** Of a name that is compared. */
const longestName = 16;

/** Returns whether only a colon and white space are between a name and a value. */
function isValueOf(text: string, nameEnd: number, start: number): boolean {
  return start - nameEnd <= 16 && text.slice(nameEnd, start).trim() === ':';
}

/** @throws SyntaxError for characters that JSON does not allow in a string */
function checkString(text: string, from: number, to: number): void {
  for (let start = from; start < to; ) {
    const end = to - start > checkedAtOnce ? beforeEscape(text, start, start + checkedAtOnce) : to;
    JSON.parse(`"${text.slice(start, end)}"`);
    start = end;
  }
}

/** Returns an index that is at most `end`, and not within an escape sequence. */
function beforeEscape(text: string, start: number, end: number): number {
  // The longest sequence has six characters. Not in the whole text, which would be searched from each end to its start.
  const last = end - longestEscape + text.slice(end - longestEscape, end).lastIndexOf('\\');
  if (last < end - longestEscape + 1) return end;
  let first = last;
  while (first > start && text.charCodeAt(first - 1) === backslash) first -= 1;
  // In an odd run the last one begins a sequence, in an even run it is the second of a pair.
  return (last - first) % 2 === 0 ? last : last - 1;
}

const longestEscape = 6;
const backslash = 0x5c;
