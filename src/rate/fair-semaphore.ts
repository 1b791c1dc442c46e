import type { Stop } from '../edges.ts';

/** Somebody who waits for an amount. */
interface Waiting {
  readonly amount: number;
  readonly grant: () => void;
}

/**
 * Limits how much is held at once, as {@link Quota} does, but lets those wait who find no room: keys in rotation, and
 * for each key in the order in which it asked. So whatever one key asks for, another waits for one of its amounts only.
 * An amount above the capacity is granted when nothing else is held.
 */
export class FairSemaphore {
  readonly #capacity: number;
  /** The key whose turn is next first. */
  readonly #waiting = new Map<string, Waiting[]>();
  #held = 0;

  /** @param capacity in the user's unit */
  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** Resolves when the amount is held, with the function that gives it back. Idempotent. */
  acquire(key: string, amount: number = 1): Promise<Stop> {
    const { promise, resolve } = Promise.withResolvers<Stop>();
    const own = this.#waiting.get(key) ?? [];
    own.push({ amount, grant: () => resolve(this.#hold(amount)) });
    this.#waiting.set(key, own);
    this.#grant();
    return promise;
  }

  #hold(amount: number): Stop {
    this.#held += amount;
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      this.#held -= amount;
      this.#grant();
    };
  }

  #grant(): void {
    for (const [key, own] of this.#waiting) {
      const [first] = own;
      if (first !== undefined && this.#held > 0 && this.#held + first.amount > this.#capacity) return;
      own.shift();
      this.#waiting.delete(key);
      if (own.length > 0) this.#waiting.set(key, own);
      first?.grant();
    }
  }
}
