/** A stream that holds a part of a message. */
export interface Receiver {
  /** There is no room for what it holds. */
  overflow(): void;
}

/** A part of a message of fewer bytes than this counts as nothing. */
const small = 64 << 10;

/**
 * How many bytes of unfinished messages may be held, over all streams. A message may be large and may take its time, so
 * one node has room for it; many that begin a message and never finish it would take all memory there is.
 */
export class ReceiveBudget {
  readonly #limit: number;
  readonly #held = new Map<Receiver, number>();
  #total = 0;

  /** @param limit bytes; beyond, the stream that holds the most ends */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Tells how many bytes of a message a stream holds by now; 0 when it is complete or of no use any more. */
  holds(receiver: Receiver, bytes: number): void {
    if (bytes < small && this.#held.size === 0) return;
    const before = this.#held.get(receiver) ?? 0;
    const now = bytes < small ? 0 : bytes;
    if (before === now) return;
    this.#total += now - before;
    if (now === 0) this.#held.delete(receiver);
    else this.#held.set(receiver, now);
    if (this.#total > this.#limit) this.#largest()?.overflow();
  }

  #largest(): Receiver | undefined {
    let largest: Receiver | undefined;
    let most = 0;
    for (const [receiver, bytes] of this.#held) {
      if (bytes <= most) continue;
      largest = receiver;
      most = bytes;
    }
    return largest;
  }
}
