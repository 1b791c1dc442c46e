import type { Random } from '../../edges.ts';

/** Milliseconds before the first new attempt, and the most before any. */
const least = 20;
const most = 15_000;

/**
 * Milliseconds to wait before a new attempt: doubles with each one that failed, from 20 ms to 15 s, and is a random part of
 * that between half and all of it, so that a thousand gateways do not come back at once.
 *
 * @param attempt 0 for the first
 */
export function backoff(attempt: number, random: Random): number {
  const whole = Math.min(most, least * 2 ** Math.min(attempt, 30));
  return Math.round(whole / 2 + (random() * whole) / 2);
}
