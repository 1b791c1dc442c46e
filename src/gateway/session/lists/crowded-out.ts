import type { Clock } from '../../../edges.ts';
import type { ListMethod } from './list-pages.ts';

/** Milliseconds for which the lists of a caller do without targets that had no room in the last one. */
const crowdedTime = 10_000;

/** Lists of callers; the oldest is forgotten for another one. */
const maxLists = 1_000;

interface CrowdedList {
  readonly targets: ReadonlySet<string>;
  /** Milliseconds since the epoch. */
  readonly until: number;
}

/**
 * Which targets were left out of a caller's list because all lists together were too large. They are left out at once
 * for a time: to read their lists again, only to end them again, would cost as much as before, and others wait for it.
 * Kept by caller, because the lists of somebody who reaches more targets are larger together.
 */
export class CrowdedOut {
  readonly #clock: Clock;
  readonly #lists = new Map<string, CrowdedList>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  has(caller: string, method: ListMethod, target: string): boolean {
    const list = this.#lists.get(keyOf(caller, method));
    return list !== undefined && this.#clock.monotonic() < list.until && list.targets.has(target);
  }

  /** Call when a target was changed or removed: there may be room for others then. */
  forget(target: string): void {
    for (const [key, { targets }] of this.#lists) if (targets.has(target)) this.#lists.delete(key);
  }

  /** Remembers the targets that had no room. A list that left nobody out begins no new time. */
  leftOut(caller: string, method: ListMethod, targets: ReadonlySet<string>): void {
    if (targets.size === 0) return;
    const key = keyOf(caller, method);
    const now = this.#clock.monotonic();
    const before = this.#lists.get(key);
    const kept = before !== undefined && now < before.until ? before : { targets: [], until: now + crowdedTime };
    this.#lists.delete(key);
    this.#lists.set(key, { targets: new Set([...kept.targets, ...targets]), until: kept.until });
    const oldest = this.#lists.keys().next().value;
    if (this.#lists.size > maxLists && oldest !== undefined) this.#lists.delete(oldest);
  }
}

/** A method has no blank. */
function keyOf(caller: string, method: ListMethod): string {
  return `${method} ${caller}`;
}
