/** Bounds of the structure of a JSON text that arrives in pieces. Its bytes are the caller's to bound. */
export interface JsonStructureBounds {
  /** The most values and keys in all: scalars, objects, arrays and names of members, the outermost value included. */
  readonly maxValues: number;
  /** The most objects and arrays within one another. */
  readonly maxDepth: number;
  /**
   * The most different names of members. Parsing takes about 4 µs for each new name, and a fiftieth of that for a value
   * or a name that occurred before.
   */
  readonly maxNames: number;
}

/** What a JSON text has too much of. */
export type JsonExcess = 'values' | 'levels' | 'names';

/**
 * Counts the structure of a JSON text (RFC 8259) in UTF-8 while its bytes arrive, so that a text that is not within
 * bounds is refused before it is complete, and never parsed. Takes time in proportion to the bytes.
 *
 * Every value but the first of its container follows a comma, every value of a member a colon, and the first one of a
 * container its bracket: the count is exact but for empty containers, which count as two. For a text that is no JSON the
 * count means nothing, and parsing stops at the first error.
 */
export class JsonStructure {
  readonly #bounds: JsonStructureBounds;
  /** Hashes of the names so far. */
  readonly #names = new Set<number>();
  /** Names that are too long to be hashed: each counts. */
  #longNames = 0;
  #values = 1;
  #depth = 0;
  #inString = false;
  #escaped = false;
  /** Hash and length of the string that is read, or was read last. */
  #hash = 0;
  #stringLength = 0;
  /** Length of the longest string before that one. */
  #longest = 0;
  /** In the bytes that are counted, as far as they were searched. */
  #nextQuote = -1;
  #nextBackslash = -1;

  constructor(bounds: JsonStructureBounds) {
    this.#bounds = bounds;
  }

  /** Values and keys so far. */
  get values(): number {
    return this.#values;
  }

  /** Whether no string, object or array is open. */
  get isWhole(): boolean {
    return this.#depth === 0 && !this.#inString;
  }

  /** Bytes of the longest string so far; a string that goes on counts with what has arrived. */
  get longestString(): number {
    return Math.max(this.#longest, this.#stringLength);
  }

  /** Counts the next bytes. Returns what there is too much of; the text must not be parsed then. */
  push(bytes: Uint8Array): JsonExcess | undefined {
    const { maxValues, maxDepth } = this.#bounds;
    let [values, depth] = [this.#values, this.#depth];
    this.#nextQuote = -1;
    this.#nextBackslash = -1;
    let excess: JsonExcess | undefined;
    for (let index = 0; index < bytes.length && excess === undefined; index += 1) {
      if (this.#inString) {
        index = this.#skipString(bytes, index);
        continue;
      }
      const byte = bytes[index] ?? 0;
      if (byte === quote) {
        this.#beginString();
      } else if (byte === comma) {
        values += 1;
      } else if (byte === colon) {
        values += 1;
        if (!this.#addName()) excess = 'names';
      } else if (isOpening(byte)) {
        values += 1;
        depth += 1;
        if (depth > maxDepth) excess = 'levels';
      } else if (isClosing(byte)) {
        depth -= 1;
      }
      if (values > maxValues) excess = 'values';
    }
    this.#values = values;
    this.#depth = depth;
    return excess;
  }

  /** Begins with the next text. */
  reset(): void {
    this.#names.clear();
    this.#longNames = 0;
    this.#values = 1;
    this.#depth = 0;
    this.#inString = false;
    this.#escaped = false;
    this.#stringLength = 0;
    this.#longest = 0;
  }

  #beginString(): void {
    this.#inString = true;
    this.#hash = seed;
    if (this.#stringLength > this.#longest) this.#longest = this.#stringLength;
    this.#stringLength = 0;
  }

  /** Counts the string before a colon. Returns whether there are not too many names. */
  #addName(): boolean {
    if (this.#stringLength > maxHashed) this.#longNames += 1;
    else this.#names.add(this.#hash);
    return this.#names.size + this.#longNames <= this.#bounds.maxNames;
  }

  /** Returns the index of the quote that ends the string, or of the last byte. */
  #skipString(bytes: Uint8Array, start: number): number {
    let [hash, escaped] = [this.#hash, this.#escaped];
    let index = start;
    let ended = false;
    const hashed = Math.min(bytes.length, start + maxHashed + 1 - Math.min(this.#stringLength, maxHashed + 1));
    let searchFrom = hashed + minPlain;
    for (; index < bytes.length; index += 1) {
      if (index === searchFrom && !escaped) {
        index = this.#nextSpecial(bytes, index);
        if (index === bytes.length) break;
      }
      const byte = bytes[index] ?? 0;
      if (escaped) escaped = false;
      else if (byte === backslash) {
        escaped = true;
        searchFrom = index + minPlain;
      } else if (byte === quote) {
        ended = true;
        break;
      }
      if (index < hashed) hash = Math.imul(hash ^ byte, multiplier) ^ (hash >>> 15);
    }
    this.#stringLength += index - start;
    this.#hash = hash;
    this.#escaped = escaped;
    this.#inString = !ended;
    return index;
  }

  /** Returns the index of the next quote or backslash, or the length. Each is searched for once per occurrence. */
  #nextSpecial(bytes: Uint8Array, from: number): number {
    if (this.#nextQuote < from) this.#nextQuote = indexOrEnd(bytes, quote, from);
    if (this.#nextBackslash < from) this.#nextBackslash = indexOrEnd(bytes, backslash, from);
    return Math.min(this.#nextQuote, this.#nextBackslash);
  }
}

function indexOrEnd(bytes: Uint8Array, byte: number, from: number): number {
  const index = bytes.indexOf(byte, from);
  return index === -1 ? bytes.length : index;
}

/** Bytes. No honest name is longer. */
const maxHashed = 64;

/**
 * Bytes of a string without a quote or a backslash, after which the next one is searched for: a search costs as much as
 * looking at some dozens of bytes.
 */
const minPlain = 64;

/** Random, so that nobody can choose names that count as one. */
const seed = Math.trunc(Math.random() * 2 ** 32);
const multiplier = Math.trunc(Math.random() * 2 ** 31) * 2 + 1;

const quote = 0x22;
const comma = 0x2c;
const colon = 0x3a;
const backslash = 0x5c;

/** `[` or `{`, which differ in one bit. */
const isOpening = (byte: number): boolean => (byte | 0x20) === 0x7b;

/** `]` or `}`, which differ in one bit. */
const isClosing = (byte: number): boolean => (byte | 0x20) === 0x7d;
