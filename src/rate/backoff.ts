import type { Random } from '../edges.ts';

/** How long to wait before something that did not work is tried again, in milliseconds. */
export interface Backoff {
  readonly first: number;
  readonly longest: number;
}

/**
 * Twice as long with each attempt in a row. Half of it is left to chance, so that replicas and objects that failed
 * together do not come back together.
 *
 * @param attempts 1 for the first failure
 */
export function backoffAfter(attempts: number, { first, longest }: Backoff, random: Random): number {
  const full = Math.min(longest, first * 2 ** Math.min(attempts - 1, 30));
  return full * (0.5 + random() / 2);
}
