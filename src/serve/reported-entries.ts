/** A stretch of a message that consists of entries of `initial_resource_versions`, and nothing else. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** Where one entry lies, from its tag on, and its name and version. The same object for every entry: read it before the next. */
export interface Entry {
  start: number;
  end: number;
  nameStart: number;
  nameEnd: number;
  versionStart: number;
  versionEnd: number;
}

/** The fields of a DeltaDiscoveryRequest, and of an entry of the map, that are read here; all length-delimited. */
const entryTag = (5 << 3) | 2;
const nameTag = (1 << 3) | 2;
const versionTag = (2 << 3) | 2;

/**
 * Finds the entries of an encoded DeltaDiscoveryRequest. `undefined` when the bytes are no message, or when an entry is
 * not as every encoder writes it (name, then version, each at most once); then a decoder has to look at it.
 */
export function entrySpans(bytes: Buffer): readonly Span[] | undefined {
  const cursor = new Cursor(bytes);
  const entry = newEntry();
  const spans: { start: number; end: number }[] = [];
  while (cursor.at < bytes.length) {
    const start = cursor.at;
    const tag = cursor.varint();
    if (tag !== entryTag) {
      cursor.skip(tag & 7);
      continue;
    }
    cursor.entry(entry);
    const last = spans.at(-1);
    if (last?.end === start) last.end = cursor.at;
    else spans.push({ start, end: cursor.at });
    if (cursor.failed) return undefined;
  }
  return cursor.failed ? undefined : spans;
}

/** The entries of spans that were found in these bytes, one after another. */
export class EntryReader {
  /** Where the next entry begins. */
  at = 0;
  /** The end of the span that it lies in. */
  end = 0;
  readonly #cursor: Cursor;
  readonly #spans: Iterator<Span>;
  readonly #entry = newEntry();

  constructor(bytes: Buffer, spans: readonly Span[]) {
    this.#cursor = new Cursor(bytes);
    this.#spans = spans.values();
  }

  /** Whether there is a next entry. */
  more(): boolean {
    while (this.at >= this.end) {
      const { value, done } = this.#spans.next();
      if (done === true) return false;
      this.at = value.start;
      this.end = value.end;
    }
    return true;
  }

  /** The next entry; `more` has said that there is one. */
  read(): Entry {
    this.#cursor.at = this.at;
    this.#cursor.varint();
    this.#cursor.entry(this.#entry);
    this.#entry.start = this.at;
    this.#entry.end = this.#cursor.at;
    this.at = this.#cursor.at;
    return this.#entry;
  }

  /** Goes past whole entries that take so many bytes of this span. */
  skip(length: number): void {
    this.at += length;
  }
}

function newEntry(): Entry {
  return { start: 0, end: 0, nameStart: 0, nameEnd: 0, versionStart: 0, versionEnd: 0 };
}

/** A place in encoded bytes. What cannot be read makes it fail and puts it at the end. */
class Cursor {
  at = 0;
  failed = false;
  readonly #bytes: Buffer;
  #textEnd = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /** Numbers of up to 28 bits: no tag and no length of a message that fits into memory here takes more. */
  varint(): number {
    let value = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.#bytes[this.at];
      if (byte === undefined) break;
      this.at += 1;
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    return this.#fail();
  }

  /** The end of a length-delimited field that begins here. */
  end(): number {
    const length = this.varint();
    return this.at + length <= this.#bytes.length ? this.at + length : this.#fail();
  }

  skip(wireType: number): void {
    if (wireType === 2) this.at = this.end();
    else this.#fail();
  }

  /** Reads what follows the tag of an entry. */
  entry(into: Entry): void {
    const end = this.end();
    // An encoder leaves out what is empty.
    this.#enter(nameTag, end);
    into.nameStart = this.at;
    this.#leave();
    into.nameEnd = this.at;
    this.#enter(versionTag, end);
    into.versionStart = this.at;
    this.#leave();
    into.versionEnd = this.at;
    if (this.at !== end) this.#fail();
  }

  /** Goes to the text of this field, if it stands here; `#leave` then goes to its end. */
  #enter(tag: number, end: number): void {
    const present = this.at < end && this.#bytes[this.at] === tag;
    if (present) this.at += 1;
    this.#textEnd = present ? this.end() : this.at;
  }

  #leave(): void {
    this.at = this.#textEnd;
  }

  #fail(): number {
    this.failed = true;
    this.at = this.#bytes.length;
    return this.at;
  }
}
