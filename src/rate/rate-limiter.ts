import type { Clock } from '../edges.ts';

/**
 * Turns at a rate, of which some, a second's worth by default, may be taken at once (the generic cell rate algorithm,
 * ITU-T I.371). Above that each next one comes when its time has come; who wants one knows beforehand how long that is.
 */
export class Turns {
  readonly #clock: Clock;
  /** Milliseconds between two turns. */
  readonly #interval: number;
  readonly #furthest: number;
  readonly #atOnce: number;
  #next = Number.NEGATIVE_INFINITY;

  /**
   * @param rate turns a second
   * @param furthest milliseconds beyond which no turn is taken
   * @param atOnce how many turns that were not taken are kept
   */
  constructor(clock: Clock, rate: number, furthest: number, atOnce: number = rate) {
    this.#clock = clock;
    this.#interval = 1_000 / rate;
    this.#furthest = furthest;
    this.#atOnce = atOnce;
  }

  /** Milliseconds until the next free turn; 0: now. */
  wait(): number {
    return Math.max(0, this.#turn() - this.#clock.now());
  }

  /** Takes the next free turn. */
  take(): void {
    this.#next = this.#turn() + this.#interval;
  }

  /** Whether all that may be taken at once is there again. */
  full(): boolean {
    return this.#turn() <= this.#saved();
  }

  #turn(): number {
    // No turn is taken further ahead, unless the clock was set back: then nobody has to wait until it caught up.
    const now = this.#clock.now();
    if (this.#next > now + this.#furthest + this.#interval) this.#next = now;
    return Math.max(this.#next, this.#saved());
  }

  #saved(): number {
    return this.#clock.now() - (this.#atOnce - 1) * this.#interval;
  }
}
