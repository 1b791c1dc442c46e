import { FairQueue } from './fair-queue.ts';

interface Waiting {
  readonly resolve: () => void;
}

/**
 * Lets those who have much to do go on one after another, each step in an iteration of the event loop of its own, so that
 * hundreds of large messages delay what is small by one step of one of them. Keys take turns, whatever number of steps
 * each asks for.
 */
export class FairTurns {
  readonly #waiting = new FairQueue<Waiting>(Number.POSITIVE_INFINITY);
  #scheduled = false;

  /** Resolves when it is the turn of this key. */
  next(key: string): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.add(key, { resolve });
    this.#schedule();
    return promise;
  }

  #schedule(): void {
    if (this.#scheduled || this.#waiting.size === 0) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#waiting.next()?.resolve();
      this.#schedule();
    });
  }
}
