import type { Clock } from '../edges.ts';
import { Turns } from './turns.ts';

/** What becomes of a stream that wants in. */
export type Admitted =
  /** Its turn comes after so many milliseconds; 0: now. */
  | { readonly kind: 'admitted'; readonly wait: number }
  /** So many came before it that its turn would come too late. */
  | { readonly kind: 'refused' };

/** The part of the rate that peers who want little have for themselves, on top of it. */
const reserved = 1 / 4;
/** The part of the rate up to which a peer wants little. */
const little = 1 / 50;

/**
 * How many streams a second are taken in (rule G3). A second's worth may come at once. Who comes above that is given
 * the next free turn, in the order of arrival, and is refused when that is more than `patience` away: so a refusal is
 * immediate, and no more streams wait than there are turns in that time.
 *
 * All of that may be one peer's, for a fleet behind a proxy has one address. So that a peer that floods keeps nobody
 * out, a quarter as many turns are kept on top for the peers that had few.
 */
export class Admission {
  readonly #clock: Clock;
  readonly #rate: number;
  readonly #patience: number;
  readonly #common: Turns;
  readonly #reserve: Turns;
  /** What each peer that came lately has left of the little that it may want, the one that came longest ago first. */
  readonly #peers = new Map<string, Turns>();

  /**
   * @param rate streams a second
   * @param patience milliseconds that a stream may wait for its turn
   */
  constructor(clock: Clock, rate: number, patience: number) {
    this.#clock = clock;
    this.#rate = rate;
    this.#patience = patience;
    this.#common = new Turns(clock, rate, patience);
    this.#reserve = new Turns(clock, rate * reserved, patience);
  }

  /** @param peer the address that a stream comes from, without a port */
  enter(peer: string): Admitted {
    const modest = this.#isModest(peer);
    const turns = modest && this.#reserve.wait() < this.#common.wait() ? this.#reserve : this.#common;
    const wait = turns.wait();
    if (wait > this.#patience) return { kind: 'refused' };
    turns.take();
    return { kind: 'admitted', wait };
  }

  /** Whether a peer wanted little so far, this stream included. */
  #isModest(peer: string): boolean {
    const own = this.#peers.get(peer) ?? new Turns(this.#clock, Math.max(1, this.#rate * little), 0);
    const modest = own.wait() === 0;
    if (modest) own.take();
    this.#peers.delete(peer);
    this.#peers.set(peer, own);
    this.#forget();
    return modest;
  }

  /** Two for one that came: so no more are remembered than came in about a second. */
  #forget(): void {
    let left = 2;
    for (const [peer, turns] of this.#peers) {
      if (left === 0 || !turns.full()) return;
      this.#peers.delete(peer);
      left -= 1;
    }
  }
}
