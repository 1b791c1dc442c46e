import type { LimitExceeded, RequestCostMeter, RequestMetering } from '../request/request-cost.ts';

/** Bytes of the prefix of a gRPC message: the compressed flag, and four of length. */
const prefixLength = 5;

/**
 * Follows the gRPC messages of a stream while they arrive, beside grpc-js, which passes on complete messages only:
 * counts the bytes of an unfinished request, and computes the cost of a large one before all of it is received.
 */
export class MessageReader {
  readonly #metering: RequestMetering;
  /** The prefix of the next message as one number, and how many bytes of it were read. */
  #prefix = 0;
  #prefixRead = 0;
  /** The length of the current message, and how many bytes of it are missing. */
  #length = 0;
  #missing = 0;
  #meter: RequestCostMeter | undefined;

  constructor(metering: RequestMetering) {
    this.#metering = metering;
  }

  /** Bytes of the unfinished message. */
  get held(): number {
    return this.#missing === 0 ? 0 : this.#length - this.#missing;
  }

  /** True if a message has begun and is not complete. */
  get unfinished(): boolean {
    return this.#missing > 0 || this.#prefixRead > 0;
  }

  /** Reads the next chunk of the stream. Returns the status to end the stream with when a message exceeds a limit. */
  read(chunk: Buffer): LimitExceeded | undefined {
    let at = 0;
    while (at < chunk.length) {
      if (this.#missing === 0) {
        at = this.#readPrefix(chunk, at);
        continue;
      }
      const end = Math.min(chunk.length, at + this.#missing);
      const exceeded = this.#meter?.add(chunk, at, end);
      if (exceeded !== undefined) return exceeded;
      this.#missing -= end - at;
      at = end;
    }
    return undefined;
  }

  /** Returns the offset after the bytes that it read. */
  #readPrefix(chunk: Buffer, start: number): number {
    let at = start;
    for (; at < chunk.length && this.#prefixRead < prefixLength; at += 1) {
      this.#prefix = this.#prefix * 256 + (chunk[at] ?? 0);
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
    // The cost of a compressed message is known only when it is complete.
    this.#meter = compressed === 0 && length > this.#metering.exemptSize ? this.#metering.start() : undefined;
  }
}
