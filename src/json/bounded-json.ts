/** Bounds of the structure of a JSON text. Its bytes are the caller's to bound. */
export interface JsonBounds {
  /** The most values and keys in all: scalars, objects, arrays and names of members, the outermost value included. */
  readonly maxValues: number;
  /** The most objects and arrays within one another; 0 allows a scalar only. */
  readonly maxDepth: number;
}

/** Which bound a text exceeds. */
type JsonExcess = { readonly kind: 'too-many-values' | 'too-deep' };

/** A parsed value, or the reason why the text was not parsed. */
export type BoundedJson =
  | { readonly kind: 'json'; readonly value: unknown }
  | JsonExcess
  | { readonly kind: 'not-json' };

/**
 * Parses JSON (RFC 8259) whose structure is within bounds. A text that is not within them is not parsed, because each
 * value takes 16 bytes and more of memory whatever its length in the text: 4 MB of `{}` become more than 100 MB.
 * Takes time in proportion to the text.
 */
export function parseBoundedJson(text: string, bounds: JsonBounds): BoundedJson {
  const measured = measureJson(text, bounds);
  if (measured.kind !== 'within') return measured;
  try {
    const value: unknown = JSON.parse(text);
    return { kind: 'json', value };
  } catch {
    return { kind: 'not-json' };
  }
}

const quote = 0x22;
const comma = 0x2c;
const colon = 0x3a;
const backslash = 0x5c;

/**
 * Counts the values of a JSON text without parsing, up to the bounds: every value but the first of its container follows
 * a comma, every value of a member a colon, and the first one of a container its bracket. So the count is exact but for
 * empty containers, which count as two. For a text that is no JSON the count means nothing, and parsing stops at the
 * first error.
 */
export function measureJson(
  text: string,
  { maxValues, maxDepth }: JsonBounds,
): JsonExcess | { readonly kind: 'within'; readonly values: number } {
  let values = 1;
  let depth = 0;
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (code === quote) {
      index = endOfString(text, index + 1);
    } else if (code === comma || code === colon) {
      values += 1;
    } else if (isOpening(code)) {
      values += 1;
      depth += 1;
      if (depth > maxDepth) return { kind: 'too-deep' };
    } else if (isClosing(code)) {
      depth -= 1;
    }
    if (values > maxValues) return { kind: 'too-many-values' };
  }
  return { kind: 'within', values };
}

/** Returns the index of the quote that ends a string, or the length of the text. Looks at each character once. */
export function endOfString(text: string, start: number): number {
  let from = start;
  for (;;) {
    const end = text.indexOf('"', from);
    if (end === -1) return text.length;
    let backslashes = 0;
    while (end - backslashes > from && text.charCodeAt(end - backslashes - 1) === backslash) backslashes += 1;
    if (backslashes % 2 === 0) return end;
    from = end + 1;
  }
}

/** `[` or `{`, which differ in one bit. */
const isOpening = (code: number): boolean => (code | 0x20) === 0x7b;

/** `]` or `}`, which differ in one bit. */
const isClosing = (code: number): boolean => (code | 0x20) === 0x7d;
