import { maxObjectBytes } from '../../../kube/object-limits.ts';
import type { ObjectText } from '../api/object.ts';

/**
 * Joins the chunks of a text. Bytes are decoded when the text is complete, because a character may be split over two
 * chunks.
 */
export class ChunkBuffer {
  readonly #maxBytes: number;
  #chunks: Uint8Array[] = [];
  #size = 0;

  /** @param maxBytes that are kept: of a longer text its beginning */
  constructor(maxBytes: number = maxObjectBytes) {
    this.#maxBytes = maxBytes;
  }

  /** Bytes of the text so far. */
  get size(): number {
    return this.#size;
  }

  /** Buffers bytes of the text, without copying them. */
  add(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    if (this.#size <= this.#maxBytes) this.#chunks.push(bytes);
    this.#size += bytes.length;
  }

  /** Returns the text that these bytes complete, and empties the buffer. */
  complete(last: Uint8Array): ObjectText {
    if (this.#size === 0) {
      const text = Buffer.from(last.buffer, last.byteOffset, last.byteLength).toString();
      return { text, bytes: last.length };
    }
    this.add(last);
    const whole = { text: Buffer.concat(this.#chunks).toString(), bytes: this.#size };
    this.#chunks = [];
    this.#size = 0;
    return whole;
  }
}

/** Splits a stream into lines. Each chunk is scanned once, however many of them a line takes. */
export class LineSplitter {
  readonly #maxBytes: number;
  readonly #begun: ChunkBuffer;

  /** @param maxBytes of a line */
  constructor(maxBytes: number = maxObjectBytes) {
    this.#maxBytes = maxBytes;
    this.#begun = new ChunkBuffer(maxBytes);
  }

  /** Bytes of the line that has no end yet. */
  get pending(): number {
    return this.#begun.size;
  }

  /** True if the line that has no end yet is longer than the maximum. */
  get overlong(): boolean {
    return this.pending > this.#maxBytes;
  }

  /** Yields the lines that end in this chunk, without line breaks and empty lines. */
  *push(chunk: Uint8Array): Generator<string> {
    let start = 0;
    for (let end = chunk.indexOf(newline); end !== -1; end = chunk.indexOf(newline, start)) {
      const { text } = this.#begun.complete(chunk.subarray(start, end));
      start = end + 1;
      if (text !== '') yield text;
    }
    this.#begun.add(chunk.subarray(start));
  }
}

const newline = 0x0a;
