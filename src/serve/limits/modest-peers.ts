import type { Clock } from '../../edges.ts';
import { RateLimiter } from '../../rate/rate-limiter.ts';

/** What peers who want little have for themselves, on top of what there is for all: this part of it. */
export const reserved: number = 1 / 4;

/** The part of a rate up to which a peer wants little. */
const little = 1 / 50;

/** Tells those that want much from those that want little, so that the latter can have something for themselves. */
export class ModestPeers {
  readonly #clock: Clock;
  readonly #rate: number;
  /** What each peer that came lately has left of the little that it may want, the one that came longest ago first. */
  readonly #peers = new Map<string, RateLimiter>();

  #latest: string | undefined;

  /** @param rate what may be wanted a second, by everybody together */
  constructor(clock: Clock, rate: number) {
    this.#clock = clock;
    this.#rate = rate;
  }

  /**
   * Whether a peer wanted little so far, this time included.
   *
   * @param peer its address, without a port
   */
  comes(peer: string): boolean {
    const own = this.#peers.get(peer) ?? new RateLimiter(this.#clock, { rate: Math.max(1, this.#rate * little) });
    const modest = own.delay() === 0;
    if (modest) own.reserve();
    if (peer !== this.#latest) {
      this.#latest = peer;
      this.#peers.delete(peer);
      this.#peers.set(peer, own);
      this.#forget();
    }
    return modest;
  }

  /** Two for one that came: so no more are remembered than came in about a second. */
  #forget(): void {
    let left = 2;
    for (const [peer, turns] of this.#peers) {
      if (left === 0 || !turns.isFull()) return;
      this.#peers.delete(peer);
      left -= 1;
    }
  }
}
