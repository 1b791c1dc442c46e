import type { JsonObject } from '../../json/json.ts';
import type { Result } from '../rpc/model.ts';

/** How long a client may keep a result, and whether it may give it to others (MCP 2026-07-28, Caching). */
export interface Freshness {
  /** Milliseconds. */
  readonly ttlMs: number;
  readonly cacheScope: 'public' | 'private';
}

/**
 * Milliseconds that a client may keep what a policy decides about: a policy may change at any time, and clients that do
 * not listen are not told.
 */
const policyTime = 5_000;

/** What a target says that says nothing of it, as those of earlier revisions do. */
export const notKept: Freshness = { ttlMs: 0, cacheScope: 'private' };

/** What says the most, so that anything joined with it stays as it is. */
const kept: Freshness = { ttlMs: Number.MAX_SAFE_INTEGER, cacheScope: 'public' };

/** Reads what a target says of a result; what is no time is none. */
export function freshnessIn(result: Result | JsonObject): Freshness {
  const { ttlMs, cacheScope } = result;
  const isTime = typeof ttlMs === 'number' && Number.isSafeInteger(ttlMs) && ttlMs >= 0;
  return { ttlMs: isTime ? ttlMs : 0, cacheScope: cacheScope === 'public' ? 'public' : 'private' };
}

/** Returns what holds for a result that is made of all of these. Nothing is known of a result that is made of none. */
export function joinFreshness(parts: readonly Freshness[]): Freshness {
  if (parts.length === 0) return notKept;
  return parts.reduce(
    (one, other) => ({
      ttlMs: Math.min(one.ttlMs, other.ttlMs),
      cacheScope: one.cacheScope === 'public' ? other.cacheScope : 'private',
    }),
    kept,
  );
}

/** Returns what holds for a result that was made for one caller, by policies. */
export function forCaller({ ttlMs }: Freshness): Freshness {
  return { ttlMs: Math.min(ttlMs, policyTime), cacheScope: 'private' };
}
