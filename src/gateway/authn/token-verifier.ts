import { hash } from 'node:crypto';
import { fingerprintOfKey } from '../../jwk/fingerprint.ts';
import { FairTurns } from '../../rate/fair-turns.ts';
import { Quota } from '../../rate/quota.ts';
import type { KeySourceConfig } from '../config/model.ts';
import type { Caller } from '../model.ts';
import { identityOf } from './identity.ts';
import type { KeyFetch, KeyParts, KeySet, KeySource } from './key-set.ts';
import { openFileKeys, openInlineKeys } from './local-keys.ts';
import { openRemoteKeys } from './remote-keys.ts';
import { createTokenCache, type TokenCache } from './token-cache.ts';
import { type Expectations, type Verification, verify } from './verify.ts';

/** Dependencies of the verification of tokens. */
export interface AuthnParts extends KeyParts {
  readonly fetchText: KeyFetch;
}

/** The result of looking at a token. */
type TokenCheck =
  | { readonly kind: 'caller'; readonly caller: Extract<Caller, { readonly kind: 'principal' }> }
  | Extract<Verification, { readonly kind: 'invalid' }>
  | { readonly kind: 'no keys' };

/** Verifies tokens with the keys of one source. */
export interface TokenVerifier {
  readonly keys: KeySource;
  check(token: string): Promise<TokenCheck>;
}

/** Requests of all issuers that wait for keys; of one issuer, three quarters of them. */
const maxWaiting = 1_024;

/**
 * Requests that wait for the keys of an issuer, which whoever names a key that nobody has can make them do. Each holds
 * what has arrived of its body, and all of them would go on in the same turn of the event loop.
 */
export class KeyWaits {
  readonly #waiting = new Quota(maxWaiting);
  readonly #turns = new FairTurns();

  /**
   * Waits for the keys, and then for a turn.
   *
   * @returns false if too many wait already, and this one did not
   */
  async wait(issuer: string, keys: () => Promise<unknown>): Promise<boolean> {
    if (!this.#waiting.acquire(issuer)) return false;
    try {
      await keys();
      await this.#turns.next(issuer);
      return true;
    } finally {
      this.#waiting.release(issuer);
    }
  }
}

/**
 * Creates a verifier. Keys from a file or from the configuration must be usable at once; a token waits for remote keys.
 *
 * @throws GatewayError when the file or the configuration contains no usable key
 */
export async function createTokenVerifier(
  jwks: KeySourceConfig,
  expected: Expectations,
  parts: AuthnParts,
  waits: KeyWaits,
): Promise<TokenVerifier> {
  const { clock } = parts;
  const source = await openKeys(jwks, parts);
  const verifyNew = async (token: string, keys: KeySet): Promise<TokenCheck> => {
    const verification = await verify(token, keys, expected, clock.now());
    if (verification.kind === 'invalid') return verification;
    const { claims, key, expiresAt } = verification;
    const [identity, fingerprint] = [identityOf(claims, key), fingerprintOfKey(key)];
    // Whoever has stolen a key writes the end of the token, too: what is open then must not stay until it.
    const isWithdrawn = (): boolean => source.current?.fingerprints.has(fingerprint) === false;
    const caller = {
      kind: 'principal',
      claims,
      identity,
      get expiresAt() {
        return isWithdrawn() ? 0 : expiresAt;
      },
    } as const;
    return { kind: 'caller', caller };
  };
  let known = nothingKnown(source.current);

  const checkWith = async (token: string, digest: string, keys: KeySet): Promise<TokenCheck> => {
    if (known.keys !== keys) known = nothingKnown(keys);
    const { tokens, running } = known;
    const caller = tokens.get(digest, clock.now());
    if (caller !== undefined) return { kind: 'caller', caller };
    const found = running.get(digest);
    if (found !== undefined) return found;
    const verifying = verifyNew(token, keys).finally(() => running.delete(digest));
    running.set(digest, verifying);
    const check = await verifying;
    if (check.kind === 'caller') tokens.put(digest, check.caller, clock.now());
    return check;
  };

  return {
    keys: source,
    async check(token) {
      if (source.current === undefined) await waits.wait(source.name, () => source.keys());
      const keys = source.current && (await source.keys());
      if (keys === undefined) return { kind: 'no keys' };
      const digest = hash('sha256', token, 'base64');
      const check = await checkWith(token, digest, keys);
      if (check.kind !== 'invalid' || !check.keyMissing) return check;
      if (!(await waits.wait(source.name, () => source.keys(keys)))) return { kind: 'no keys' };
      const newer = source.current;
      return newer === undefined || newer === keys ? check : checkWith(token, digest, newer);
    },
  };
}

/** What is known of tokens by the keys of one set: with new keys, every token is verified again. */
interface KnownTokens {
  readonly keys: KeySet | undefined;
  readonly tokens: TokenCache;
  /** By digest, while it is verified: a token that comes with thousands of requests at once is verified once. */
  readonly running: Map<string, Promise<TokenCheck>>;
}

function nothingKnown(keys: KeySet | undefined): KnownTokens {
  return { keys, tokens: createTokenCache(), running: new Map() };
}

async function openKeys(jwks: KeySourceConfig, parts: AuthnParts): Promise<KeySource> {
  switch (jwks.kind) {
    case 'file':
      return openFileKeys(jwks.path, parts);
    case 'inline':
      return openInlineKeys(jwks.text, parts);
    case 'remote':
    case 'discovery':
      return openRemoteKeys(jwks, parts);
  }
}
