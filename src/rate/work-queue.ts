import type { Clock, Stop } from '../edges.ts';
import type { RateLimiter } from './rate-limiter.ts';

/** The work of a queue, and its limits. */
export interface WorkQueueParts<T> {
  readonly clock: Clock;
  /** Limits the rate at which work starts. */
  readonly limiter: RateLimiter;
  /** Maximum number of items that are worked on at once. */
  readonly concurrency: number;
  /** Identifies an item: items with the same key are the same. */
  readonly keyOf: (item: T) => string;
  /** Starts the work on an item; it must not reject. Undefined: nothing to do, and no permit of the limiter is used. */
  readonly begin: (item: T) => Promise<void> | undefined;
  /** Called with the number of items after it may have changed. */
  readonly resized?: (size: number) => void;
}

/**
 * A rate-limited work queue with the rules of client-go's `workqueue`: an item is queued at most once and worked on at
 * most once at a time; an item that is added during its work is queued again and starts afterwards. First in, first
 * out.
 */
export class WorkQueue<T> {
  readonly #parts: WorkQueueParts<T>;
  readonly #ready = new Map<string, T>();
  /** Stops the timer of each item whose delay has not passed. No key is in `#ready`, too. */
  readonly #delayed = new Map<string, Stop>();
  /**
   * Keys of the items that are worked on. {@link clear} replaces the set, so that work from before no longer counts.
   */
  #active = new Set<string>();
  #stopPause: Stop | undefined;
  #stopPermitTimer: Stop | undefined;
  #running = false;

  constructor(parts: WorkQueueParts<T>) {
    this.#parts = parts;
  }

  /** Number of items: ready, delayed, or worked on. */
  get size(): number {
    const onlyActive = [...this.#active].filter((key) => !this.#ready.has(key) && !this.#delayed.has(key));
    return this.#ready.size + this.#delayed.size + onlyActive.length;
  }

  /** Number of items that wait for a worker, a permit, or the end of a pause. */
  get ready(): number {
    return this.#ready.size;
  }

  get paused(): boolean {
    return this.#stopPause !== undefined;
  }

  has(item: T): boolean {
    const key = this.#parts.keyOf(item);
    return this.#ready.has(key) || this.#delayed.has(key) || this.#active.has(key);
  }

  /** Queues an item, and ends its delay. */
  add(item: T): void {
    this.#endDelay(this.#parts.keyOf(item));
    this.#ready.set(this.#parts.keyOf(item), item);
    this.#run();
  }

  /** Queues an item after a delay in milliseconds. Replaces an earlier delay, and an earlier {@link add}. */
  addAfter(item: T, delay: number): void {
    this.delete(item);
    const stopTimer = this.#parts.clock.after(delay, () => this.add(item));
    this.#delayed.set(this.#parts.keyOf(item), stopTimer);
    this.#measure();
  }

  /** Removes an item that is ready or delayed, and returns whether it was. Work that has begun continues. */
  delete(item: T): boolean {
    const key = this.#parts.keyOf(item);
    const wasDelayed = this.#endDelay(key);
    const removed = this.#ready.delete(key) || wasDelayed;
    if (removed) this.#measure();
    return removed;
  }

  /** Starts no work for a time in milliseconds. */
  pause(duration: number): void {
    this.#stopPause?.();
    this.#stopPause = this.#parts.clock.after(duration, () => {
      this.#stopPause = undefined;
      this.#run();
    });
  }

  /** Ends a pause. */
  resume(): void {
    this.#stopPause?.();
    this.#stopPause = undefined;
    this.#run();
  }

  /** Removes all items and ends a pause. Work that has begun continues, but no longer counts as work. */
  clear(): void {
    this.#stopPause?.();
    this.#stopPause = undefined;
    this.#stopPermitTimer?.();
    this.#stopPermitTimer = undefined;
    for (const stop of this.#delayed.values()) stop();
    this.#delayed.clear();
    this.#ready.clear();
    this.#active = new Set();
    this.#measure();
  }

  #endDelay(key: string): boolean {
    this.#delayed.get(key)?.();
    return this.#delayed.delete(key);
  }

  /** Starts work on ready items, as far as concurrency, limiter and pause allow. */
  #run(): void {
    // The outer call continues with an item that `begin` adds.
    if (this.#running) return;
    this.#running = true;
    try {
      for (const [key, item] of this.#ready) {
        if (this.#active.has(key)) continue;
        if (this.paused || this.#active.size >= this.#parts.concurrency || !this.#hasPermit()) break;
        this.#start(key, item);
      }
    } finally {
      this.#running = false;
      this.#measure();
    }
  }

  #measure(): void {
    this.#parts.resized?.(this.size);
  }

  #hasPermit(): boolean {
    if (this.#stopPermitTimer !== undefined) return false;
    const { limiter, clock } = this.#parts;
    const delay = limiter.delay();
    if (delay === 0) return true;
    this.#stopPermitTimer = clock.after(delay, () => {
      this.#stopPermitTimer = undefined;
      this.#run();
    });
    return false;
  }

  #start(key: string, item: T): void {
    const active = this.#active;
    this.#ready.delete(key);
    active.add(key);
    let work: Promise<void> | undefined;
    try {
      work = this.#parts.begin(item);
    } finally {
      if (work === undefined) active.delete(key);
    }
    if (work === undefined) return;
    this.#parts.limiter.reserve();
    void work.finally(() => {
      active.delete(key);
      this.#run();
    });
  }
}
