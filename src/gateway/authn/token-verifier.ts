import { hash } from 'node:crypto';
import type { KeySourceConfig } from '../config/model.ts';
import type { Caller } from '../model.ts';
import { identityOf } from './identity.ts';
import type { KeyFetch, KeyParts, KeySource } from './key-set.ts';
import { openFileKeys, openInlineKeys } from './local-keys.ts';
import { openRemoteKeys } from './remote-keys.ts';
import { createTokenCache } from './token-cache.ts';
import { type Expectations, type Verification, verify } from './verify.ts';

/** Dependencies of the verification of tokens. */
export interface AuthnParts extends KeyParts {
  readonly fetchText: KeyFetch;
}

/** The result of looking at a token. */
type TokenCheck =
  | { readonly kind: 'caller'; readonly caller: Caller }
  | Extract<Verification, { readonly kind: 'invalid' }>
  | { readonly kind: 'no keys' };

/** Verifies tokens with the keys of one source. */
export interface TokenVerifier {
  readonly keys: KeySource;
  check(token: string): Promise<TokenCheck>;
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
): Promise<TokenVerifier> {
  const { clock } = parts;
  const source = await openKeys(jwks, parts);
  // Valid for one key set: with new keys, every token is verified again.
  let cache = { keys: source.current, tokens: createTokenCache() };

  return {
    keys: source,
    async check(token) {
      const keys = await source.keys();
      if (keys === undefined) return { kind: 'no keys' };
      if (cache.keys !== keys) cache = { keys, tokens: createTokenCache() };
      const { tokens } = cache;
      const digest = hash('sha256', token, 'base64');
      const cached = tokens.get(digest, clock.now());
      if (cached !== undefined) return { kind: 'caller', caller: cached };

      let verification = await verify(token, keys, expected, clock.now());
      if (verification.kind === 'invalid' && verification.keyMissing) {
        const newer = await source.keys(keys);
        if (newer !== undefined && newer !== keys) verification = await verify(token, newer, expected, clock.now());
      }
      if (verification.kind === 'invalid') return verification;
      const { claims, key, expiresAt } = verification;
      const identity = await identityOf(claims, key);
      const caller = { kind: 'principal', claims, identity, expiresAt } as const satisfies Caller;
      tokens.put(digest, caller, clock.now());
      return { kind: 'caller', caller };
    },
  };
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
