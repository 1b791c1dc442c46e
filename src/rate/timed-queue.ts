import type { Clock } from '../edges.ts';
import { FairQueue } from './fair-queue.ts';

/** Milliseconds of one iteration of the event loop for those that waited; and as many for those that did not. */
const turn = 5;

/**
 * Bounds the time that work of one kind takes of each iteration of the event loop, whatever number of sockets are ready
 * in it: what finds no time waits in a {@link FairQueue} by key.
 */
export class TimedQueue<T extends object> {
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #run: (item: T) => void;
  readonly #waiting = new FairQueue<T>(Number.POSITIVE_INFINITY);
  #iteration = 0;
  /** The end of the time; undefined before somebody has asked for some. */
  #until: number | undefined;
  #scheduled = false;

  /** @param run does the work of an item that has waited; {@link add} it again when there is more to do */
  constructor(clock: Pick<Clock, 'monotonic'>, run: (item: T) => void) {
    this.#clock = clock;
    this.#run = run;
  }

  /** The number of the iteration, which changes when there is time again. */
  get iteration(): number {
    return this.#iteration;
  }

  /** Whether items wait. */
  get isWaiting(): boolean {
    return this.#waiting.size > 0;
  }

  /** Returns whether there is time left in this iteration. */
  hasTime(): boolean {
    this.#schedule();
    const now = this.#clock.monotonic();
    this.#until ??= now + turn;
    return now < this.#until;
  }

  /** Lets an item wait for its turn, once. */
  add(key: string, item: T): void {
    this.#waiting.add(key, item);
    this.#schedule();
  }

  /** Removes an item; does nothing when it does not wait. */
  delete(key: string, item: T): void {
    this.#waiting.delete(key, item);
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#iteration += 1;
      this.#until = undefined;
      // One that has more to do waits again.
      this.#take(this.#waiting.size);
    });
  }

  /** Goes on when all promises have been: what an item has begun is done as far as it can be, and its time counts. */
  #take(turns: number): void {
    const item = turns > 0 && this.hasTime() ? this.#waiting.next() : undefined;
    if (item !== undefined) {
      this.#run(item);
      queueMicrotask(() => process.nextTick(() => this.#take(turns - 1)));
      return;
    }
    this.#until = undefined;
    if (this.isWaiting) this.#schedule();
  }
}
