import type { Clock, Stop } from '../edges.ts';
import { FairQueue } from './fair-queue.ts';
import { KeyedRateLimiter } from './keyed-rate-limiter.ts';
import { RateLimiter, type RateLimiterOptions } from './rate-limiter.ts';

/** Keys whose rate is remembered. */
const maxKeys = 10_000;

/** Limits and callbacks of a queue. */
export interface PacedQueueParts {
  /** Items of all keys together. */
  readonly capacity: number;
  /** Of one key. */
  readonly keyRate: RateLimiterOptions;
  /** Of all keys together; absent: not limited. */
  readonly rate?: RateLimiterOptions;
  readonly clock: Clock;
  /** Called when an item that waited for a rate can be taken. */
  readonly ready: () => void;
  /** Called with the key of an item that is not taken yet because of a rate. */
  readonly delayed?: (key: string) => void;
}

/**
 * A fair queue by key in which items wait until the rates allow them: a key that floods waits for its own rate, and all
 * of them for the one of all. Takes time in proportion to the items that are taken.
 */
export class PacedQueue<T extends object> {
  readonly #parts: PacedQueueParts;
  readonly #items: FairQueue<T>;
  readonly #keyRates: KeyedRateLimiter;
  readonly #rate: RateLimiter | undefined;
  /** Stops the timer of each key that waits for its rate. Each has its own, so that none looks at all the others. */
  readonly #suspended = new Map<string, Stop>();
  /** Stops the timer while all wait; undefined: they do not. */
  #stopWait: Stop | undefined;

  constructor(parts: PacedQueueParts) {
    this.#parts = parts;
    this.#items = new FairQueue(parts.capacity);
    this.#keyRates = new KeyedRateLimiter(parts.clock, { ...parts.keyRate, maxKeys });
    this.#rate = parts.rate && new RateLimiter(parts.clock, parts.rate);
  }

  /** Whether {@link next} may return an item now. */
  get isReady(): boolean {
    return this.#stopWait === undefined && this.#items.nextKey !== undefined;
  }

  /** Adds an item. Returns the one that is rejected because the queue is full, as {@link FairQueue.add} does. */
  add(key: string, item: T): T | undefined {
    return this.#items.add(key, item);
  }

  /** Removes an item; does nothing when it is not in the queue. */
  delete(key: string, item: T): void {
    this.#items.delete(key, item);
  }

  /** Takes the next item that the rates allow. @param paced false: whatever the rates are, and without their permits */
  next(paced: boolean = true): T | undefined {
    if (!paced) return this.#items.next();
    while (this.isReady) {
      const key = this.#items.nextKey ?? '';
      const delayOfAll = this.#rate?.delay() ?? 0;
      if (delayOfAll > 0) {
        this.#parts.delayed?.(key);
        this.#wait(delayOfAll);
        return undefined;
      }
      const delay = this.#keyRates.tryTake(key);
      if (delay === 0) {
        this.#rate?.reserve();
        return this.#items.next();
      }
      this.#parts.delayed?.(key);
      this.#suspend(key, delay);
    }
    return undefined;
  }

  /** Ends all waiting, and returns every item. */
  drain(): readonly T[] {
    this.#stopWait?.();
    this.#stopWait = undefined;
    for (const key of this.#suspended.keys()) this.#resume(key);
    const items: T[] = [];
    for (let item = this.#items.next(); item !== undefined; item = this.#items.next()) items.push(item);
    return items;
  }

  #wait(delay: number): void {
    this.#stopWait = this.#parts.clock.after(delay, () => {
      this.#stopWait = undefined;
      this.#parts.ready();
    });
  }

  #suspend(key: string, delay: number): void {
    // A key whose last item was deleted while it waited is forgotten by the queue, but not its timer.
    this.#suspended.get(key)?.();
    this.#items.suspend(key);
    const stopTimer = this.#parts.clock.after(delay, () => {
      this.#resume(key);
      this.#parts.ready();
    });
    this.#suspended.set(key, stopTimer);
  }

  #resume(key: string): void {
    this.#suspended.get(key)?.();
    this.#suspended.delete(key);
    this.#items.resume(key);
  }
}
