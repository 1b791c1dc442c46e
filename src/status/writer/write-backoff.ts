import type { Random } from '../../edges.ts';
import { type Backoff, backoffDelay } from '../../rate/backoff.ts';
import type { WriteResult } from './status-client.ts';
import type { PendingPatch } from './status-index.ts';

/**
 * Past writes of one object's status, as far as they delay the next one. A new desired status may be written after a
 * second. The same desired status is due again only if another client changed what was written: each repetition doubles
 * the delay, so that two controllers do not fight at full speed. So does each failure.
 */
export interface WriteHistory {
  /** Monotonic time of the last response, in milliseconds. */
  readonly at: number;
  /** The desired status of the last write, compared by identity. */
  readonly desired: unknown;
  /** Consecutive writes of the same desired status, after the first. */
  readonly repeats: number;
  /** Consecutive failures. */
  readonly failures: number;
  /** Milliseconds from `at` until the same desired status may be written, and until another one may. */
  readonly sameDelay: number;
  readonly otherDelay: number;
  /** The resource version of a write that conflicted. */
  readonly outdated: string | undefined;
  /** Content that the API server refused, and when, as monotonic time. */
  readonly refused: { readonly content: string; readonly at: number } | undefined;
}

/** The history of an object that was not written yet. */
export const noWrites: WriteHistory = {
  at: Number.NEGATIVE_INFINITY,
  desired: undefined,
  repeats: 0,
  failures: 0,
  sameDelay: 0,
  otherDelay: 0,
  outdated: undefined,
  refused: undefined,
};

const minInterval = 1_000;
const contested: Backoff = { initial: 2_000, max: 300_000 };
const failing: Backoff = { initial: 1_000, max: 300_000 };

/** Milliseconds without a write after which repeats count from zero; longer than any delay. */
const settledAfter = 600_000;

/** Milliseconds until refused content is sent again: by then somebody may have changed a CRD or an admission policy. */
const refusedDelay = 600_000;

/** The results that are about one object; an outage is not. */
export type WriteOutcome = Exclude<WriteResult['kind'], 'unavailable'>;

/** Adds a write to the history. `now` is monotonic time. */
export function historyAfter(
  before: WriteHistory,
  patch: PendingPatch,
  outcome: WriteOutcome,
  now: number,
  random: Random,
): WriteHistory {
  const { desired, resourceVersion } = patch;
  const history: WriteHistory = { ...before, outdated: undefined, refused: undefined };
  switch (outcome) {
    case 'written': {
      const isRepeat = before.desired === desired && now - before.at < settledAfter;
      const repeats = isRepeat ? before.repeats + 1 : 0;
      const sameDelay = backoffDelay(repeats + 1, contested, random);
      return { ...history, at: now, desired, repeats, failures: 0, sameDelay, otherDelay: minInterval };
    }
    case 'conflict':
    case 'failed': {
      const failures = before.failures + 1;
      const delay = backoffDelay(failures, failing, random);
      const outdated = outcome === 'conflict' ? resourceVersion : undefined;
      return { ...history, at: now, desired, failures, sameDelay: delay, otherDelay: delay, outdated };
    }
    case 'refused':
      return { ...history, refused: { content: contentOf(patch), at: now } };
    case 'gone':
      return history;
  }
}

/** Milliseconds until a patch may be sent; 0: now. `now` is monotonic time. */
export function writeDelay(history: WriteHistory, patch: PendingPatch, now: number): number {
  const { at, desired, failures, sameDelay, otherDelay, outdated, refused } = history;
  if (refused !== undefined && refused.content === contentOf(patch)) {
    const wait = remaining(refusedDelay, refused.at, now);
    if (wait > 0) return wait;
  }
  // After a conflict the newer object was observed: the first retry is immediate.
  if (outdated !== undefined && outdated !== patch.resourceVersion && failures === 1) return 0;
  return remaining(desired === patch.desired ? sameDelay : otherDelay, at, now);
}

/** The rest of a delay. */
function remaining(delay: number, since: number, now: number): number {
  return Math.max(0, since + delay - now);
}

/** The patch without the transition times, which are those of the attempt. */
function contentOf({ fields }: PendingPatch): string {
  return JSON.stringify(fields, (name, value: unknown) => (name === 'lastTransitionTime' ? undefined : value));
}
