import type { Clock } from '../edges.ts';

/** A rate, and how much of it may be saved up. */
export interface RateLimiterOptions {
  /** Permits per second. */
  readonly rate: number;
  /** Permits that may be taken at once after an idle time. Default: those of one second, at least one. */
  readonly burst?: number;
}

/**
 * A rate limiter by the generic cell rate algorithm (ITU-T I.371), which is a token bucket that stores one number and
 * needs no timer. It never throws.
 */
export class RateLimiter {
  readonly #clock: Clock;
  /** Milliseconds between two permits. */
  readonly #interval: number;
  readonly #burst: number;
  /** Monotonic time at which the next permit is free without a burst, in milliseconds. */
  #next = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock, { rate, burst = Math.max(1, rate) }: RateLimiterOptions) {
    this.#clock = clock;
    this.#interval = 1_000 / rate;
    this.#burst = burst;
  }

  /**
   * Returns the milliseconds until so many permits are free, rounded up; 0: now. Never 0 for more than the burst.
   *
   * @param permits at least 1
   */
  delay(permits: number = 1): number {
    const now = this.#clock.monotonic();
    return Math.max(0, Math.ceil(this.#theoretical(now) + (permits - 1) * this.#interval - now));
  }

  /** Takes permits. Call it when {@link delay} returns 0 for as many. */
  reserve(permits: number = 1): void {
    this.#next = this.#theoretical(this.#clock.monotonic()) + permits * this.#interval;
  }

  /** Takes permits and returns 0, or takes none and returns the milliseconds until as many are free. */
  tryTake(permits: number = 1): number {
    const delay = this.delay(permits);
    if (delay === 0) this.reserve(permits);
    return delay;
  }

  /** The theoretical arrival time of I.371. */
  #theoretical(now: number): number {
    return Math.max(this.#next, this.#earliest(now));
  }

  #earliest(now: number): number {
    return now - (this.#burst - 1) * this.#interval;
  }
}
