import type { Clock } from '../edges.ts';
import { FairQueue } from './fair-queue.ts';

interface Waiting {
  readonly resolve: () => void;
}

/** Milliseconds that a step takes, after which the next one waits for as long. */
const defaultLongStep = 8;

/** Milliseconds that it waits at most: a clock that is set forward is no long step. */
const longestRest = 250;

/**
 * Lets those who have much to do go on one after another, each step in an iteration of the event loop of its own, so that
 * hundreds of large messages delay what is small by one step of one of them. Keys take turns, whatever number of steps
 * each asks for.
 */
export class FairTurns {
  readonly #waiting = new FairQueue<Waiting>(Number.POSITIVE_INFINITY);
  readonly #clock: Clock | undefined;
  readonly #longStep: number;
  #isTaking = false;
  /** When the step before began, in milliseconds; `undefined` before the first of those that follow one another. */
  #began: number | undefined;

  /**
   * @param clock with it, the next step waits after a long one for as long as that one took: what is small takes several
   * iterations, and would wait for a step in each
   * @param longStep milliseconds that a step may take without being long
   */
  constructor(clock?: Clock, longStep: number = defaultLongStep) {
    this.#clock = clock;
    this.#longStep = longStep;
  }

  /** Resolves when it is the turn of this key. */
  next(key: string): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.add(key, { resolve });
    if (!this.#isTaking) {
      this.#isTaking = true;
      setImmediate(this.#take);
    }
    return promise;
  }

  readonly #take = (): void => {
    const now = this.#clock?.monotonic();
    const took = now === undefined || this.#began === undefined ? 0 : now - this.#began;
    this.#began = undefined;
    if (took > this.#longStep) {
      this.#clock?.after(Math.min(took, longestRest), this.#take);
      return;
    }
    const next = this.#waiting.next();
    this.#isTaking = next !== undefined;
    if (next === undefined) return;
    this.#began = now;
    next.resolve();
    setImmediate(this.#take);
  };
}
