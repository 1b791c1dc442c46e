import { createHash } from 'node:crypto';
import type { TextFetch } from '../../net/text-fetch.ts';
import { LogThrottle } from '../../rate/log-throttle.ts';
import type { JwksConfig, JwtAuthnConfig } from '../config/model.ts';
import { reasonOf } from '../errors.ts';
import type { Authentication, Caller } from '../model.ts';
import { keysUnavailable, parseBearer, tokenInvalid, tokenMissing } from './bearer.ts';
import { identityOf } from './identity.ts';
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
 * Logs refusals at `debug` with a fixed code, and never any part of a token. Of tokens that no key fits, which may be a
 * rotation that was missed, one line in ten minutes is a warning.
 *
 * @throws GatewayError when the file or the configuration contains no usable key
 */
export async function createAuthenticator(config: JwtAuthnConfig, parts: AuthnParts): Promise<JwtAuthenticator> {
  const { clock, log } = parts;
  const source = await openKeys(config.jwks, parts);
  const throttle = new LogThrottle(clock, log);
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
      const { code, keyMissing } = verification;
      log.debug('a token was refused', { code });
      if (keyMissing) {
        throttle.failed('key', { reason: code, message: `tokens were refused that no key of ${source.name} fits` });
      }
      return tokenInvalid(verification.message);
    }
    const { claims, key, expiresAt } = verification;
    const identity = await identityOf(claims, key);
    const caller = { kind: 'principal', claims, identity, expiresAt } as const satisfies Caller;
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
    stop: source.stop,
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
