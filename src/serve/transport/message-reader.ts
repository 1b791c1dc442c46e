import type { Excess } from '../request/request-cost.ts';
import type { RequestGauge, Weighing } from '../request/request-gauge.ts';

/** Bytes of the prefix of a gRPC message: one that says whether it is compressed, four of length. */
const prefixLength = 5;

/**
 * Follows the gRPC messages of a stream while they arrive, beside grpc-js, which hands out complete messages only: counts
 * the bytes that are held, and computes the cost of a large request before all of it is there.
 */
export class MessageReader {
  readonly #weighing: Weighing;
  /** The prefix of the next message as one number, and how many bytes of it were read. */
  #prefix = 0;
  #prefixRead = 0;
  /** The length of the message that arrives, and how many bytes of it are missing. */
  #length = 0;
  #missing = 0;
  #gauge: RequestGauge | undefined;

  constructor(weighing: Weighing) {
    this.#weighing = weighing;
  }

  /** Bytes of the message that is not complete yet. */
  get held(): number {
    return this.#missing === 0 ? 0 : this.#length - this.#missing;
  }

  /** Whether a message has begun and is not complete. */
  get unfinished(): boolean {
    return this.#missing > 0 || this.#prefixRead > 0;
  }

  /** Reads the next piece of the stream, and returns why a message in it costs too much, if one does. */
  take(piece: Buffer): Excess | undefined {
    let at = 0;
    while (at < piece.length) {
      if (this.#missing === 0) {
        at = this.#readPrefix(piece, at);
        continue;
      }
      const end = Math.min(piece.length, at + this.#missing);
      const excess = this.#gauge?.take(piece, at, end);
      if (excess !== undefined) return excess;
      this.#missing -= end - at;
      at = end;
    }
    return undefined;
  }

  /** Returns where it stopped reading. */
  #readPrefix(piece: Buffer, start: number): number {
    let at = start;
    for (; at < piece.length && this.#prefixRead < prefixLength; at += 1) {
      this.#prefix = this.#prefix * 256 + (piece[at] ?? 0);
      this.#prefixRead += 1;
    }
    if (this.#prefixRead === prefixLength) {
      this.#begin(Math.floor(this.#prefix / 2 ** 32), this.#prefix % 2 ** 32);
      this.#prefix = 0;
      this.#prefixRead = 0;
    }
    return at;
  }

  #begin(compressed: number, length: number): void {
    this.#length = length;
    this.#missing = length;
    // The cost of a compressed message is known only when all of it is there.
    this.#gauge = compressed === 0 && length > this.#weighing.light ? this.#weighing.gauge() : undefined;
  }
}
