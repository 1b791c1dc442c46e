import { Cursor, delimited } from './protobuf-reader.ts';

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

const nameTag = (1 << 3) | delimited;
const versionTag = (2 << 3) | delimited;

/** No encoder writes more than two fields into an entry; one with many is no entry. */
const mostFields = 8;

/** Takes in the entries of a message one after another, and looks at each once, so that all can be read later. */
export class EntryFinder {
  readonly spans: { start: number; end: number }[] = [];
  readonly #cursor: Cursor;
  readonly #entry = newEntry();

  constructor(bytes: Buffer) {
    this.#cursor = new Cursor(bytes);
  }

  /** Takes in the entry from its tag on, whose content begins at `at`. Throws when it is none. */
  found(start: number, at: number, end: number): void {
    this.#cursor.goTo(at, end);
    readContent(this.#cursor, this.#entry);
    const last = this.spans.at(-1);
    if (last?.end === start) last.end = end;
    else this.spans.push({ start, end });
  }
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
    const entry = this.#entry;
    const cursor = this.#cursor;
    cursor.goTo(this.at, this.end);
    cursor.tag();
    entry.start = this.at;
    entry.end = cursor.end();
    cursor.goTo(cursor.at, entry.end);
    readContent(cursor, entry);
    this.at = entry.end;
    return entry;
  }

  /** Goes past whole entries that take so many bytes of this span. */
  skip(length: number): void {
    this.at += length;
  }
}

function newEntry(): Entry {
  return { start: 0, end: 0, nameStart: 0, nameEnd: 0, versionStart: 0, versionEnd: 0 };
}

/** Reads what follows the head of an entry, in whatever order. An encoder leaves out what is empty. */
function readContent(cursor: Cursor, into: Entry): void {
  const { at } = cursor;
  into.nameStart = at;
  into.nameEnd = at;
  into.versionStart = at;
  into.versionEnd = at;
  for (let fields = 0; cursor.more; fields += 1) {
    if (fields === mostFields) throw new Error('an entry of initial_resource_versions has too many fields');
    const tag = cursor.tag();
    if (tag === nameTag) {
      into.nameEnd = cursor.end();
      into.nameStart = cursor.at;
      cursor.at = into.nameEnd;
    } else if (tag === versionTag) {
      into.versionEnd = cursor.end();
      into.versionStart = cursor.at;
      cursor.at = into.versionEnd;
    } else cursor.skip(tag);
  }
}
