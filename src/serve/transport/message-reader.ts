import type { LimitExceeded, RequestCostMeter, RequestMetering } from '../request/request-cost.ts';

/** What stands before a message of gRPC: a byte that says whether it is compressed, and its length in four. */
const headLength = 5;

/** The messages of a stream while they arrive, piece by piece. */
export class Arriving {
  readonly #metering: RequestMetering;
  /** The head of the next message, as one number, and how many bytes of it are there. */
  #head = 0;
  #headRead = 0;
  /** The length of the message that is arriving, and how many bytes of it are missing. */
  #length = 0;
  #missing = 0;
  #meter: RequestCostMeter | undefined;

  constructor(metering: RequestMetering) {
    this.#metering = metering;
  }

  /** How many bytes of a message are there that is not complete. */
  get held(): number {
    return this.#missing === 0 ? 0 : this.#length - this.#missing;
  }

  /** Whether a message has begun and is not complete. */
  get unfinished(): boolean {
    return this.#missing > 0 || this.#headRead > 0;
  }

  /** Takes the next piece of the stream. Answers why the message in it is too much, if it is. */
  take(piece: Buffer): LimitExceeded | undefined {
    let at = 0;
    while (at < piece.length) {
      if (this.#missing === 0) {
        at = this.#readHead(piece, at);
        continue;
      }
      const end = Math.min(piece.length, at + this.#missing);
      const excess = this.#meter?.add(piece, at, end);
      if (excess !== undefined) return excess;
      this.#missing -= end - at;
      at = end;
    }
    return undefined;
  }

  /** Answers where it stopped reading. */
  #readHead(piece: Buffer, start: number): number {
    let at = start;
    for (; at < piece.length && this.#headRead < headLength; at += 1) {
      this.#head = this.#head * 256 + (piece[at] ?? 0);
      this.#headRead += 1;
    }
    if (this.#headRead === headLength) {
      this.#begin(Math.floor(this.#head / 2 ** 32), this.#head % 2 ** 32);
      this.#head = 0;
      this.#headRead = 0;
    }
    return at;
  }

  #begin(compressed: number, length: number): void {
    this.#length = length;
    this.#missing = length;
    // What is compressed can be weighed only when all of it is there.
    this.#meter = compressed === 0 && length > this.#metering.exemptSize ? this.#metering.start() : undefined;
  }
}
