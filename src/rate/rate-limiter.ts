import type { Clock } from '../edges.ts';

export interface RateLimiterOptions {
  /** Permits per second. */
  readonly rate: number;
  /** Permits that may be taken at once after an idle time. Default: one second's worth, at least one. */
  readonly burst?: number;
  /** Milliseconds that {@link RateLimiter.reserve} may look ahead. Default 0: only permits that are free now are taken. */
  readonly maxDelay?: number;
}

/**
 * Rate limiter: the generic cell rate algorithm (ITU-T I.371), which is a token bucket that stores one number and needs
 * no timer. It never throws.
 */
export class RateLimiter {
  readonly #clock: Clock;
  /** Milliseconds between two permits. */
  readonly #interval: number;
  readonly #burst: number;
  readonly #maxDelay: number;
  /** When the next permit is free, in milliseconds since the epoch, if none was saved up. */
  #next = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock, { rate, burst = Math.max(1, rate), maxDelay = 0 }: RateLimiterOptions) {
    this.#clock = clock;
    this.#interval = 1_000 / rate;
    this.#burst = burst;
    this.#maxDelay = maxDelay;
  }

  /** Milliseconds until the next permit is free, rounded up; 0: now. */
  delay(): number {
    const now = this.#clock.now();
    return Math.max(0, Math.ceil(this.#theoretical(now) - now));
  }

  /** Takes the next permit, also one that is free only after {@link delay}. */
  reserve(): void {
    this.#next = this.#theoretical(this.#clock.now()) + this.#interval;
  }

  /** Takes a permit and returns 0, or takes none and returns the milliseconds until one is free. */
  tryTake(): number {
    const delay = this.delay();
    if (delay === 0) this.reserve();
    return delay;
  }

  /** Whether the whole burst is available again, so that nothing is lost by forgetting this limiter. */
  isFull(): boolean {
    const now = this.#clock.now();
    return this.#theoretical(now) <= this.#earliest(now);
  }

  /** The theoretical arrival time of I.371. */
  #theoretical(now: number): number {
    // No permit is reserved further ahead than this, so the clock was set back: nobody waits until it has caught up.
    if (this.#next > now + this.#maxDelay + this.#interval) this.#next = now;
    return Math.max(this.#next, this.#earliest(now));
  }

  #earliest(now: number): number {
    return now - (this.#burst - 1) * this.#interval;
  }
}
