import { createHash } from 'node:crypto';
import type { JWTPayload } from 'jose';
import type { JwksConfig, JwtAuthnConfig } from '../config/model.ts';
import { reasonOf } from '../errors.ts';
import type { Authentication, Caller } from '../model.ts';
import type { TextFetch } from '../network/text-fetch.ts';
import { cannotVerify, readBearer, tokenInvalid, tokenMissing } from './bearer.ts';
import type { KeySource } from './key-set.ts';
import { type KeyParts, openFileKeys, openInlineKeys } from './local-keys.ts';
import type { JwtAuthenticator } from './model.ts';
import { openRemoteKeys } from './remote-keys.ts';
import { createTokenCache } from './token-cache.ts';
import { verify } from './verify.ts';

/** What verifying tokens needs. */
export interface AuthnParts extends KeyParts {
  readonly fetchText: TextFetch;
}

/**
 * Verifies the tokens of clients by the configuration. Keys from a file or from the configuration must be usable now;
 * keys from afar are waited for by the tokens that need them.
 *
 * Nothing of a token is ever logged: refusals are, at `debug`, by a fixed code.
 *
 * @throws GatewayError when the file or the configuration holds no usable key
 */
export async function createAuthenticator(config: JwtAuthnConfig, parts: AuthnParts): Promise<JwtAuthenticator> {
  const { clock, log } = parts;
  const source = await openKeys(config.jwks, parts);
  // Bound to one set of keys: with new keys every token is verified anew.
  let verified = { by: source.held, tokens: createTokenCache() };

  const authenticateToken = async (token: string): Promise<Authentication> => {
    const keys = await source.keys();
    if (keys === undefined) return cannotVerify();
    if (verified.by !== keys) verified = { by: keys, tokens: createTokenCache() };
    const hash = createHash('sha256').update(token).digest('base64');
    const known = verified.tokens.get(hash, clock.now());
    if (known !== undefined) return { kind: 'caller', caller: known };

    const { tokens } = verified;
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
      const bearer = readBearer(authorization);
      if (bearer.kind === 'none') return tokenMissing();
      if (bearer.kind === 'malformed') return tokenInvalid('The token cannot be read');
      try {
        return await authenticateToken(bearer.token);
      } catch (error) {
        log.error('a token could not be looked at', { error: reasonOf(error) });
        return cannotVerify();
      }
    },
    status: () => ({
      issuers: config.issuers,
      audiences: config.audiences,
      source: source.name,
      keys: source.held?.kids,
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

/** One text per issuer and subject. A token that names no subject is only ever itself, so that nobody shares its sessions. */
function identityOf({ iss, sub }: JWTPayload, hash: string): string {
  const named = typeof sub === 'string' && sub !== '' && (iss === undefined || typeof iss === 'string');
  return JSON.stringify(named ? [iss ?? null, sub] : ['token', 'without subject', hash]);
}
