import type { Caller } from '../model.ts';

/** Tokens that were verified a moment ago, so that a busy session does not pay for a signature with every request. */
export interface TokenCache {
  get(hash: string, now: number): Caller | undefined;
  /** Keeps a caller until the token expires, at most for a minute. */
  put(hash: string, caller: Caller & { readonly kind: 'principal' }, now: number): void;
  readonly size: number;
}

/** Milliseconds. */
const longest = 60_000;

/** @param limit the most tokens that are kept; the one that came first goes first */
export function createTokenCache(limit = 1000): TokenCache {
  const entries = new Map<string, { readonly caller: Caller; readonly until: number }>();
  return {
    get(hash, now) {
      const entry = entries.get(hash);
      if (entry === undefined) return undefined;
      if (now < entry.until) return entry.caller;
      entries.delete(hash);
      return undefined;
    },
    put(hash, caller, now) {
      const until = Math.min(caller.expiresAt, now + longest);
      if (until <= now) return;
      entries.delete(hash);
      for (const oldest of entries.keys()) {
        if (entries.size < limit) break;
        entries.delete(oldest);
      }
      entries.set(hash, { caller, until });
    },
    get size() {
      return entries.size;
    },
  };
}
