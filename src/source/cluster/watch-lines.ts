/** More than any object can have: etcd holds 1.5 MiB of one by default, and JSON makes at most a few times that of it. */
const LONGEST_LINE = 16 * 1024 * 1024;

/**
 * Puts the lines of a stream together again. A chunk is looked at once, however many of them a line takes, and bytes
 * become text only when the line is whole: a character may be split over two chunks.
 */
export class LineSplitter {
  readonly #longest: number;
  #begun: Uint8Array[] = [];
  #size = 0;

  /** @param longest the most bytes of a line */
  constructor(longest: number = LONGEST_LINE) {
    this.#longest = longest;
  }

  /** Bytes of a line that has no end yet. */
  get pending(): number {
    return this.#size;
  }

  /** Whether the line that has no end yet is longer than any may be. */
  get overlong(): boolean {
    return this.#size > this.#longest;
  }

  /** The lines that end in this chunk, without their ends. Empty ones are left out. */
  *push(chunk: Uint8Array): Generator<string> {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    let start = 0;
    for (let end = bytes.indexOf(NEWLINE); end !== -1; end = bytes.indexOf(NEWLINE, start)) {
      const line = this.#complete(bytes.subarray(start, end));
      start = end + 1;
      if (line !== '') yield line;
    }
    if (start === bytes.length) return;
    this.#begun.push(bytes.subarray(start));
    this.#size += bytes.length - start;
  }

  #complete(last: Buffer): string {
    if (this.#begun.length === 0) return last.toString();
    const line = Buffer.concat([...this.#begun, last]).toString();
    this.#begun = [];
    this.#size = 0;
    return line;
  }
}

const NEWLINE = 0x0a;
