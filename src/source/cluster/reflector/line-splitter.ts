import { LARGEST_OBJECT } from '../api/object.ts';
import { TextPieces } from './text-pieces.ts';

/** Puts the lines of a stream together again. A chunk is looked at once, however many of them a line takes. */
export class LineSplitter {
  readonly #longest: number;
  readonly #begun = new TextPieces();

  /** @param longest the most bytes of a line */
  constructor(longest: number = LARGEST_OBJECT) {
    this.#longest = longest;
  }

  /** Bytes of a line that has no end yet. */
  get pending(): number {
    return this.#begun.size;
  }

  /** Whether the line that has no end yet is longer than any may be. */
  get overlong(): boolean {
    return this.pending > this.#longest;
  }

  /** The lines that end in this chunk, without their ends. Empty ones are left out. */
  *push(chunk: Uint8Array): Generator<string> {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      const line = this.#begun.complete(chunk.subarray(start, end));
      start = end + 1;
      if (line !== '') yield line;
    }
    this.#begun.add(chunk.subarray(start));
  }
}

const NEWLINE = 0x0a;
