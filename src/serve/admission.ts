import type { Clock } from '../edges.ts';

/** What becomes of a stream that wants in. */
export type Admitted =
  /** Its turn comes after so many milliseconds; 0: now. */
  | { readonly kind: 'admitted'; readonly wait: number }
  /** So many came before it that its turn would come too late. */
  | { readonly kind: 'refused' };

/**
 * How many streams a second are taken in (rule G3). A second's worth may come at once. Who comes above that is given
 * the next free turn, in the order of arrival, and is refused when that is more than `patience` away: so a refusal is
 * immediate, and no more streams wait than there are turns in that time.
 */
export class Admission {
  readonly #clock: Clock;
  /** Milliseconds between two turns. */
  readonly #interval: number;
  readonly #patience: number;
  #nextTurn = Number.NEGATIVE_INFINITY;

  /**
   * @param rate streams a second
   * @param patience milliseconds that a stream may wait for its turn
   */
  constructor(clock: Clock, rate: number, patience: number) {
    this.#clock = clock;
    this.#interval = 1_000 / rate;
    this.#patience = patience;
  }

  enter(): Admitted {
    const now = this.#clock.now();
    // No turn is given away further ahead, unless the clock was set back: then nobody has to wait until it caught up.
    if (this.#nextTurn > now + this.#patience + this.#interval) this.#nextTurn = now;
    const saved = now - 1_000 + this.#interval;
    const turn = Math.max(this.#nextTurn, saved);
    const wait = Math.max(0, turn - now);
    if (wait > this.#patience) return { kind: 'refused' };
    this.#nextTurn = turn + this.#interval;
    return { kind: 'admitted', wait };
  }
}
