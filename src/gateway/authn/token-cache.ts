import type { Caller } from '../model.ts';

type Principal = Extract<Caller, { readonly kind: 'principal' }>;

/** Cache of verified tokens, which saves a signature verification per request. */
export interface TokenCache {
  /** @param hash a digest of the token */
  get(hash: string, now: number): Principal | undefined;
  /** Caches a caller until the token expires, for one minute at most. */
  put(hash: string, caller: Principal, now: number): void;
  readonly size: number;
}

/** Milliseconds. */
const maxAge = 60_000;

/** @param maxTokens when exceeded, the oldest entry is evicted */
export function createTokenCache(maxTokens = 1_000): TokenCache {
  const entries = new Map<string, { readonly caller: Principal; readonly until: number }>();
  return {
    get(hash, now) {
      const entry = entries.get(hash);
      if (entry === undefined) return undefined;
      if (now < entry.until) return entry.caller;
      entries.delete(hash);
      return undefined;
    },
    put(hash, caller, now) {
      const until = Math.min(caller.expiresAt, now + maxAge);
      if (until <= now) return;
      entries.delete(hash);
      for (const oldest of entries.keys()) {
        if (entries.size < maxTokens) break;
        entries.delete(oldest);
      }
      entries.set(hash, { caller, until });
    },
    get size() {
      return entries.size;
    },
  };
}
