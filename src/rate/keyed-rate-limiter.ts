import type { Clock } from '../edges.ts';
import { RateLimiter, type RateLimiterOptions } from './rate-limiter.ts';

/** The rate of each key, and the bound on the number of keys. */
export interface KeyedRateLimiterOptions extends RateLimiterOptions {
  /** Number of keys that are remembered; beyond, the least recently used one is forgotten. Default 1,000. */
  readonly maxKeys?: number;
}

/** One {@link RateLimiter} per key, such as an object or an address, in bounded memory. */
export class KeyedRateLimiter {
  readonly #clock: Clock;
  readonly #options: RateLimiterOptions;
  readonly #maxKeys: number;
  /** The least recently used key first. */
  readonly #limiters = new Map<string, RateLimiter>();

  constructor(clock: Clock, { maxKeys = 1_000, ...options }: KeyedRateLimiterOptions) {
    this.#clock = clock;
    this.#options = options;
    this.#maxKeys = maxKeys;
  }

  /** Returns the milliseconds until the next permit of this key is free; 0: now. Takes none and remembers nothing. */
  delay(key: string): number {
    return this.#limiters.get(key)?.delay() ?? 0;
  }

  /** Takes a permit of this key and returns 0, or takes none and returns the milliseconds until one is free. */
  tryTake(key: string): number {
    const limiter = this.#limiters.get(key) ?? new RateLimiter(this.#clock, this.#options);
    this.#limiters.delete(key);
    this.#limiters.set(key, limiter);
    const [oldest] = this.#limiters.keys();
    if (this.#limiters.size > this.#maxKeys && oldest !== undefined) this.#limiters.delete(oldest);
    return limiter.tryTake();
  }
}
