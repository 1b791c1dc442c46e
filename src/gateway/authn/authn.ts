import { createHash } from 'node:crypto';
import type { JWTPayload } from 'jose';
import type { JwksConfig, JwtAuthnConfig } from '../config/model.ts';
import { reasonOf } from '../errors.ts';
import type { Authentication, Caller } from '../model.ts';
import type { TextFetch } from '../network/text-fetch.ts';
import { keysUnavailable, parseBearer, tokenInvalid, tokenMissing } from './bearer.ts';
import type { KeyParts, KeySource } from './key-set.ts';
import { openFileKeys, openInlineKeys } from './local-keys.ts';
import type { JwtAuthenticator } from './model.ts';
import { openRemoteKeys } from './remote-keys.ts';
import { createTokenCache } from './token-cache.ts';
import { verify } from './verify.ts';

/** Dependencies of the authenticator. */
export interface AuthnParts extends KeyParts {
  readonly fetchText: TextFetch;
}

/**
 * Creates the authenticator of a configuration. Keys from a file or from the configuration must be usable at once; a
 * token waits for remote keys.
 *
 * Logs refusals at `debug` with a fixed code, and never any part of a token.
 *
 * @throws GatewayError when the file or the configuration contains no usable key
 */
export async function createAuthenticator(config: JwtAuthnConfig, parts: AuthnParts): Promise<JwtAuthenticator> {
  const { clock, log } = parts;
  const source = await openKeys(config.jwks, parts);
  // Valid for one key set: with new keys, every token is verified again.
  let cache = { keys: source.current, tokens: createTokenCache() };

  const authenticateToken = async (token: string): Promise<Authentication> => {
    const keys = await source.keys();
    if (keys === undefined) return keysUnavailable();
    if (cache.keys !== keys) cache = { keys, tokens: createTokenCache() };
    const { tokens } = cache;
    const hash = createHash('sha256').update(token).digest('base64');
    const cached = tokens.get(hash, clock.now());
    if (cached !== undefined) return { kind: 'caller', caller: cached };

    let verification = await verify(token, keys, config, clock.now());
    if (verification.kind === 'invalid' && verification.keyMissing) {
      const newer = await source.keys(keys);
      if (newer !== undefined && newer !== keys) verification = await verify(token, newer, config, clock.now());
    }
    if (verification.kind === 'invalid') {
      log.debug('a token was refused', { code: verification.code });
      return tokenInvalid(verification.message);
    }
    const { claims, expiresAt } = verification;
    const caller = {
      kind: 'principal',
      claims,
      identity: identityOf(claims, hash),
      expiresAt,
    } as const satisfies Caller;
    tokens.put(hash, caller, clock.now());
    return { kind: 'caller', caller };
  };

  return {
    async authenticate(authorization) {
      const bearer = parseBearer(authorization);
      if (bearer.kind === 'none') return tokenMissing();
      if (bearer.kind === 'malformed') return tokenInvalid('The token cannot be read');
      try {
        return await authenticateToken(bearer.token);
      } catch (error) {
        log.error('a token could not be looked at', { error: reasonOf(error) });
        return keysUnavailable();
      }
    },
    status: () => ({
      issuers: config.issuers,
      audiences: config.audiences,
      source: source.name,
      keys: source.current?.kids,
    }),
  };
}

async function openKeys(jwks: JwksConfig, parts: AuthnParts): Promise<KeySource> {
  switch (jwks.kind) {
    case 'file':
      return openFileKeys(jwks.path, parts);
    case 'inline':
      return openInlineKeys(jwks.text, parts);
    case 'remote':
      return openRemoteKeys(jwks, parts);
  }
}

/**
 * One text per issuer and subject. A token without a subject is an identity of its own, so that its sessions are not
 * shared.
 */
function identityOf({ iss, sub }: JWTPayload, hash: string): string {
  const named = typeof sub === 'string' && sub !== '' && (iss === undefined || typeof iss === 'string');
  return JSON.stringify(named ? [iss ?? null, sub] : ['token', 'without subject', hash]);
}
