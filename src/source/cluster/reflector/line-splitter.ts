import { maxObjectBytes } from '../api/object.ts';

/**
 * Joins the chunks of a text. Bytes are decoded when the text is complete, because a character may be split over two
 * chunks.
 */
export class ChunkBuffer {
  #chunks: Uint8Array[] = [];
  #size = 0;

  /** Bytes that are buffered. */
  get size(): number {
    return this.#size;
  }

  /** Buffers bytes of the text, without copying them. */
  add(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#chunks.push(bytes);
    this.#size += bytes.length;
  }

  /** Returns the text that these bytes complete, and empties the buffer. */
  complete(last: Uint8Array): string {
    if (this.#chunks.length === 0) return Buffer.from(last.buffer, last.byteOffset, last.byteLength).toString();
    const text = Buffer.concat([...this.#chunks, last]).toString();
    this.#chunks = [];
    this.#size = 0;
    return text;
  }
}

/** Splits a stream into lines. Each chunk is scanned once, however many of them a line takes. */
export class LineSplitter {
  readonly #maxBytes: number;
  readonly #begun = new ChunkBuffer();

  /** @param maxBytes of a line */
  constructor(maxBytes: number = maxObjectBytes) {
    this.#maxBytes = maxBytes;
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
      const line = this.#begun.complete(chunk.subarray(start, end));
      start = end + 1;
      if (line !== '') yield line;
    }
    this.#begun.add(chunk.subarray(start));
  }
}

const newline = 0x0a;
