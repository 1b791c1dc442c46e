/** Puts a text together that arrives in several chunks: bytes become text only when it is whole, because a character may be split over two. */
export class TextPieces {
  #begun: Uint8Array[] = [];
  #size = 0;

  /** Bytes of the text that is not whole yet. */
  get size(): number {
    return this.#size;
  }

  /** Bytes in the middle of the text. They are kept, and with them the chunk that they are a part of. */
  add(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#begun.push(bytes);
    this.#size += bytes.length;
  }

  /** The whole text, of which these are the last bytes. The next one begins. */
  complete(last: Uint8Array): string {
    if (this.#begun.length === 0) return Buffer.from(last.buffer, last.byteOffset, last.byteLength).toString();
    const text = Buffer.concat([...this.#begun, last]).toString();
    this.#begun = [];
    this.#size = 0;
    return text;
  }
}
