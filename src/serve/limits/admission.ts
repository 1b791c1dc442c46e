import type { Clock } from '../../edges.ts';
import { RateLimiter } from '../../rate/rate-limiter.ts';
import { ModestPeers, reserved } from './modest-peers.ts';

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
 *
 * All of that may be one peer's, for a fleet behind a proxy has one address. So that a peer that floods keeps nobody
 * out, a quarter as many turns are kept on top for the peers that had few.
 */
export class Admission {
  readonly #patience: number;
  readonly #common: RateLimiter;
  readonly #reserve: RateLimiter;
  readonly #peers: ModestPeers;

  /**
   * @param rate streams a second
   * @param patience milliseconds that a stream may wait for its turn
   */
  constructor(clock: Clock, rate: number, patience: number) {
    this.#patience = patience;
    this.#common = new RateLimiter(clock, { rate, burst: rate, maxDelay: patience });
    this.#reserve = new RateLimiter(clock, { rate: rate * reserved, burst: rate * reserved, maxDelay: patience });
    this.#peers = new ModestPeers(clock, rate);
  }

  /** @param peer the address that a stream comes from, without a port */
  enter(peer: string): Admitted {
    const modest = this.#peers.comes(peer);
    const turns = modest && this.#reserve.delay() < this.#common.delay() ? this.#reserve : this.#common;
    const wait = turns.delay();
    if (wait > this.#patience) return { kind: 'refused' };
    turns.reserve();
    return { kind: 'admitted', wait };
  }
}
