import type { Clock } from '../edges.ts';

/** How many objects are remembered; the one that used its allowance longest ago is forgotten first. */
const mostObjects = 1_000;

/** So many for each object in any span of time of this length. */
export class Allowances {
  readonly #clock: Clock;
  readonly #most: number;
  readonly #span: number;
  readonly #used = new Map<string, readonly number[]>();

  /** @param span milliseconds */
  constructor(clock: Clock, most: number, span: number) {
    this.#clock = clock;
    this.#most = most;
    this.#span = span;
  }

  /** Takes one for this object, if there is one left. */
  take(object: string): boolean {
    const now = this.#clock.now();
    const recent = (this.#used.get(object) ?? []).filter((at) => Math.abs(now - at) < this.#span);
    if (recent.length >= this.#most) return false;
    this.#used.delete(object);
    this.#used.set(object, [...recent, now]);
    const [oldest] = this.#used.keys();
    if (this.#used.size > mostObjects && oldest !== undefined) this.#used.delete(oldest);
    return true;
  }
}
