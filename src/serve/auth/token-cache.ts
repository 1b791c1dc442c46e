import { createHash } from 'node:crypto';
import type { Clock, Counters } from '../../edges.ts';
import { within } from '../../net/deadline.ts';
import { FairSemaphore } from '../../rate/fair-semaphore.ts';
import type { ServiceAccount } from './identity.ts';

/** The good answer about a token. */
interface ValidToken {
  readonly kind: 'valid';
  readonly account: ServiceAccount;
  /** False once the key of the token was withdrawn. A verifier that knows no keys always says true. */
  readonly isKeyAccepted: () => boolean;
}

/** The answer of a verifier about one token. */
export type Verification =
  | ValidToken
  /** The message says why, without the token. */
  | { readonly kind: 'invalid'; readonly message: string }
  /** Nothing is known about the token. */
  | { readonly kind: 'unavailable'; readonly message: string };

/** Verifies signature, issuer, audience and end of a token, and that its ServiceAccount exists. */
export type VerifyToken = (token: string, signal: AbortSignal) => Promise<Verification>;

/** Milliseconds for which a good answer counts without being asked again: a ServiceAccount may be deleted meanwhile. */
const goodFor = 60_000;

/** Milliseconds for which a bad answer counts. */
const badFor = 10_000;

/** Tokens that are remembered; beyond, the oldest is forgotten and verified anew. A replica has up to 20,000 streams. */
const maxGood = 20_000;
const maxBad = 1_000;

/** Tokens that are verified at once. */
const maxConcurrent = 64;

/** Milliseconds for one answer, the wait for a turn included. */
const timeout = 15_000;

/** What verifies tokens, and dependencies. */
export interface TokenCacheParts {
  readonly verify: VerifyToken;
  readonly clock: Clock;
  readonly counters: Counters;
}

interface Good {
  readonly answer: ValidToken;
  readonly expires: number;
  readonly since: number;
}

/**
 * Remembers answers about tokens, by their hash: a token is kept nowhere. Equal tokens are verified once, and those of
 * one address wait behind each other. While nothing can be verified, a token that was good goes on being good until it
 * ends; one that was never seen gets `unavailable`, so that its client comes back.
 */
export class TokenCache {
  readonly #parts: TokenCacheParts;
  readonly #good = new Map<string, Good>();
  readonly #bad = new Map<string, { readonly message: string; readonly since: number }>();
  readonly #pending = new Map<string, Promise<Verification>>();
  readonly #turns = new FairSemaphore(maxConcurrent);

  constructor(parts: TokenCacheParts) {
    this.#parts = parts;
  }

  /**
   * @param expires what the token says about its end, in milliseconds since the epoch; true if the token is valid
   * @param address of the client, for turns
   */
  verify(token: string, expires: number, address: string): Promise<Verification> | Verification {
    const hash = createHash('sha256').update(token).digest('base64');
    const now = this.#parts.clock.now();
    const good = this.#good.get(hash);
    if (good !== undefined && isFresh(good.since, now, goodFor) && good.answer.isKeyAccepted()) return good.answer;
    const bad = this.#bad.get(hash);
    if (bad !== undefined && isFresh(bad.since, now, badFor)) return { kind: 'invalid', message: bad.message };
    const pending =
      this.#pending.get(hash) ??
      this.#ask(token, address)
        .then((answer) => this.#remember(hash, expires, answer))
        .finally(() => this.#pending.delete(hash));
    this.#pending.set(hash, pending);
    return pending;
  }

  async #ask(token: string, address: string): Promise<Verification> {
    const { clock, verify } = this.#parts;
    try {
      return await within({ clock, milliseconds: timeout }, async (signal) => {
        const release = await this.#turns.acquire(address, 1, signal);
        try {
          return await verify(token, signal);
        } finally {
          release();
        }
      });
    } catch (error) {
      return unavailable(error instanceof Error ? error.message : 'no answer');
    }
  }

  #remember(hash: string, expires: number, answer: Verification): Verification {
    const { clock, counters } = this.#parts;
    counters.count('gatehouse_xds_token_reviews_total', { outcome: answer.kind });
    const since = clock.now();
    const known = this.#good.get(hash);
    switch (answer.kind) {
      case 'valid':
        put(this.#good, hash, { answer, expires, since }, maxGood);
        return answer;
      case 'invalid':
        this.#good.delete(hash);
        put(this.#bad, hash, { message: answer.message, since }, maxBad);
        return answer;
      case 'unavailable':
        return known !== undefined && known.expires > since && known.answer.isKeyAccepted() ? known.answer : answer;
    }
  }
}

/** False also for a time that is ahead: a clock that was set back must not keep an answer without end. */
function isFresh(since: number, now: number, milliseconds: number): boolean {
  return now >= since && now - since < milliseconds;
}

function put<Value>(map: Map<string, Value>, key: string, value: Value, max: number): void {
  map.delete(key);
  map.set(key, value);
  const [oldest] = map.keys();
  if (map.size > max && oldest !== undefined) map.delete(oldest);
}

function unavailable(message: string): Verification {
  return { kind: 'unavailable', message };
}
