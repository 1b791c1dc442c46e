import type { Stop } from '../edges.ts';
import { FairQueue } from './fair-queue.ts';

/** Somebody who waits for an amount. */
interface Waiting {
  readonly amount: number;
  readonly grant: () => void;
}

/**
 * Limits how much is held at once, as {@link Quota} does, but lets those wait who find no room, in the order of a
 * {@link FairQueue}: whatever the others ask for, a key that asks seldom waits for what is held now, and for no round of
 * those that ask always. An amount above the capacity is granted when nothing else is held.
 */
export class FairSemaphore {
  readonly #capacity: number;
  readonly #waiting = new FairQueue<Waiting>(Number.POSITIVE_INFINITY);
  #held = 0;

  /** @param capacity in the user's unit */
  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /**
   * Resolves when the amount is held, with the function that gives it back. Idempotent.
   *
   * @param signal ends the wait, which rejects with its reason then: whoever asks and leaves again and again would
   * otherwise make it longer without an end
   */
  acquire(key: string, amount: number = 1, signal?: AbortSignal): Promise<Stop> {
    if (signal?.aborted === true) return Promise.reject(signal.reason);
    const { promise, resolve, reject } = Promise.withResolvers<Stop>();
    const leave = (): void => {
      this.#waiting.delete(key, waiting);
      reject(signal?.reason);
      // It may have been what those behind it waited for.
      this.#grant();
    };
    const waiting: Waiting = {
      amount,
      grant: () => {
        signal?.removeEventListener('abort', leave);
        resolve(this.#hold(amount));
      },
    };
    signal?.addEventListener('abort', leave, { once: true });
    this.#waiting.add(key, waiting);
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
    for (let next = this.#waiting.first; next !== undefined; next = this.#waiting.first) {
      if (this.#held > 0 && this.#held + next.amount > this.#capacity) return;
      this.#waiting.next();
      next.grant();
    }
  }
}
