/** A stream that holds a part of a request. */
export interface Receiver {
  /** Ends the stream: its unfinished request does not fit into the budget. */
  overflow(): void;
}

/** Bytes below which an unfinished request is not counted: most arrive in two or three pieces. */
const small = 64 << 10;

/**
 * Bounds the bytes of unfinished requests, over all streams. One request may be large and slow, so a node may send 32 MiB
 * and take its time; many that begin a request and never finish it would take all memory. When the budget is exceeded the
 * stream that holds the most is ended.
 */
export class ReceiveBudget {
  readonly #limit: number;
  readonly #held = new Map<Receiver, number>();
  #total = 0;

  /** @param limit bytes */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Sets how many bytes of an unfinished request a stream holds; 0 when it is complete or dropped. */
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
