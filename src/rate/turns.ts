import { FairQueue } from './fair-queue.ts';

interface Waiting {
  readonly resolve: () => void;
}

/**
 * Lets the readers of large messages go on one after another, each in an iteration of the event loop of its own, so
 * that hundreds of large messages delay what is small by one step of one of them. Targets take turns, whatever number
 * of messages each sends.
 */
export class Turns {
  readonly #waiting = new FairQueue<Waiting>(Number.POSITIVE_INFINITY);
  #scheduled = false;

  /** Resolves when it is the turn of this target. */
  next(target: string): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.add(target, { resolve });
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
