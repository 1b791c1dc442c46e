import type { Random } from '../edges.ts';

/** Delays between attempts that fail one after another, in milliseconds. */
export interface Backoff {
  /** The delay before the second attempt. */
  readonly initial: number;
  /** The longest delay. */
  readonly max: number;
}

/**
 * Exponential backoff with jitter: `initial` doubled for each further failure, up to `max`, of which a random part
 * between half and all is the delay, so that clients that failed together do not retry together.
 *
 * @param failures failed attempts in a row, 1 for the first
 * @returns whole milliseconds
 */
export function backoffDelay(failures: number, { initial, max }: Backoff, random: Random): number {
  const full = Math.min(max, initial * 2 ** Math.min(failures - 1, 30));
  return Math.round(full * (0.5 + random() / 2));
}
