import type { Random } from '../../edges.ts';
import { type Backoff, backoffDelay } from '../../rate/backoff.ts';

/**
 * How soon the status of one object may be written again. What changed may be told after a second. What is the same and
 * has to be written again and again is somebody else's doing, who wants it otherwise: each time waits longer. So does
 * what failed.
 */
export interface Pace {
  /** When the last answer came, in milliseconds since the epoch. */
  readonly at: number;
  /** What made that write necessary. */
  readonly cause: unknown;
  /** How often in a row the same was written. */
  readonly repeats: number;
  /** How often in a row it was not written. */
  readonly failures: number;
  /** Milliseconds before the same may be written again, and before something else may. */
  readonly same: number;
  readonly other: number;
}

const unhurried = 1_000;
const contested: Backoff = { initial: 2_000, max: 300_000 };
const failing: Backoff = { initial: 1_000, max: 300_000 };

/** For so long nobody has to leave it alone until it counts as settled, in milliseconds: longer than any wait. */
const settled = 600_000;

/** @param now milliseconds since the epoch */
export function paceAfterWriting(before: Pace | undefined, cause: unknown, now: number, random: Random): Pace {
  const again = before !== undefined && before.cause === cause && Math.abs(now - before.at) < settled;
  const repeats = again ? before.repeats + 1 : 0;
  const same = backoffDelay(repeats + 1, contested, random);
  return { at: now, cause, repeats, failures: 0, same, other: unhurried };
}

/** @param now milliseconds since the epoch */
export function paceAfterFailing(before: Pace | undefined, cause: unknown, now: number, random: Random): Pace {
  const failures = (before?.failures ?? 0) + 1;
  const wait = backoffDelay(failures, failing, random);
  return { at: now, cause, repeats: before?.repeats ?? 0, failures, same: wait, other: wait };
}

/** In how many milliseconds it may be written; 0: now. A clock that was set makes nobody wait longer. */
export function waitOf(pace: Pace | undefined, cause: unknown, now: number): number {
  if (pace === undefined) return 0;
  const wait = pace.cause === cause ? pace.same : pace.other;
  return Math.min(wait, Math.max(0, pace.at + wait - now));
}
