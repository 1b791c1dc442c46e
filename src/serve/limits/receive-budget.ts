/** A stream with an unfinished request. */
export interface Receiver {
  /** Ends the stream, whose unfinished request is the largest of a budget that is exceeded. */
  overflow(): void;
}

/** Bytes below which an unfinished request is not counted: 20,000 streams may hold 80 MiB of such. */
const small = 4 << 10;

/**
 * Limits the bytes of unfinished requests, over all streams. One request may be large (32 MiB) and slow, but many that
 * are begun and never finished would take all memory. When the budget is exceeded, the stream that holds the most ends.
 */
export class ReceiveBudget {
  readonly #limit: number;
  readonly #held = new Map<Receiver, number>();
  #total = 0;

  /** @param limit bytes */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Sets the bytes of an unfinished request that a stream holds; 0 when it is complete or dropped. */
  update(receiver: Receiver, bytes: number): void {
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
