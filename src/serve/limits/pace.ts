import type { Clock } from '../../edges.ts';
import { RateLimiter } from '../../rate/rate-limiter.ts';

/** Changes count as under way until so many milliseconds after the last of them was sent. */
const lately = 1_000;

/** What may come while changes are under way: so much of the rate, and so much of a second's worth at once. */
const [steady, atOnce] = [1 / 16, 1 / 2];

/**
 * How fast those may come in who want much. While nothing changes, there is no limit here. While changes are under way
 * a storm is still let in, and a flood, which goes on, only as fast as its remains can be cleared away unnoticed: Node
 * frees a connection in a collection of the whole heap, and that is felt by everybody.
 */
export class Pace {
  readonly #clock: Clock;
  readonly #turns: RateLimiter;
  readonly #lastPush: () => number;

  /**
   * @param rate how many may come a second while nothing changes
   * @param lastPush when a change was sent last, in milliseconds since the epoch
   */
  constructor(clock: Clock, rate: number, lastPush: () => number) {
    this.#clock = clock;
    this.#turns = new RateLimiter(clock, { rate: rate * steady, burst: Math.max(1, rate * atOnce) });
    this.#lastPush = lastPush;
  }

  /** Milliseconds until the next may come; 0: now. */
  wait(): number {
    return this.quiet() ? 0 : this.#turns.delay();
  }

  /** To be told of each that comes. */
  take(): void {
    if (!this.quiet()) this.#turns.reserve();
  }

  /** Whether no change was sent lately. */
  quiet(): boolean {
    const since = this.#clock.now() - this.#lastPush();
    // A clock that was set back makes nobody wait until it caught up.
    return since > lately || since < 0;
  }
}
