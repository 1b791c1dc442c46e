import type { Clock } from '../edges.ts';

/** Lets so many through at once, and then so many a second. */
export class TokenBucket {
  readonly #clock: Clock;
  /** Milliseconds that a token takes to come. */
  readonly #interval: number;
  readonly #burst: number;
  /** Milliseconds that nobody has used. */
  #saved: number;
  #savedAt: number;

  constructor(clock: Clock, perSecond: number, burst: number) {
    this.#clock = clock;
    this.#interval = 1_000 / perSecond;
    this.#burst = burst;
    this.#saved = burst * this.#interval;
    this.#savedAt = clock.now();
  }

  /** Takes a token and answers 0, or takes none and answers in how many milliseconds there will be one. */
  take(): number {
    const now = this.#clock.now();
    // A clock that was set back gives nothing, and takes nothing away.
    const passed = Math.max(0, now - this.#savedAt);
    this.#savedAt = now;
    this.#saved = Math.min(this.#burst * this.#interval, this.#saved + passed);
    if (this.#saved < this.#interval) return Math.ceil(this.#interval - this.#saved);
    this.#saved -= this.#interval;
    return 0;
  }
}
