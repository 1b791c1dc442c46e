import { createLocalJWKSet, errors, type JSONWebKeySet, jwtVerify } from 'jose';
import type { Clock } from '../../edges.ts';
import { parseBoundedJson } from '../../json/bounded-json.ts';
import { isJsonObject } from '../../json/json.ts';
import { accountOfUser } from './identity.ts';
import type { Verification, VerifyToken } from './token-cache.ts';

/** Asymmetric algorithms alone: a secret that verifies could also sign. */
const algorithms = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'];

/** A set has a key or two for each issuer; the structure of one key has about ten values. */
const keySetBounds = { maxValues: 4_000, maxDepth: 8 };

/** The keys that tokens are verified with. */
export type KeySet = ReturnType<typeof createLocalJWKSet>;

/**
 * Reads a JSON Web Key Set (RFC 7517).
 *
 * @throws Error when the text is none, or has no key
 */
export function readKeySet(text: string): KeySet {
  const json = parseBoundedJson(text, keySetBounds);
  const keys = json.kind === 'json' && isJsonObject(json.value) ? json.value['keys'] : undefined;
  if (!Array.isArray(keys) || !keys.every(isJsonObject)) throw new Error('it is no JSON Web Key Set: {"keys": [...]}');
  if (keys.length === 0) throw new Error('there is no key in it');
  if (keys.some((key) => key['kty'] === 'oct' || 'd' in key))
    throw new Error('there is a secret in it: keep the public keys only');
  const set: JSONWebKeySet = { keys: keys.map((key) => ({ ...key })) };
  return createLocalJWKSet(set);
}

/** Verifies tokens of ServiceAccounts with keys that are known, without a cluster. */
export function createKeySetVerifier(
  keys: () => KeySet,
  { issuer, audience, clock }: { readonly issuer: string; readonly audience: string; readonly clock: Clock },
): VerifyToken {
  return async (token) => {
    try {
      const currentDate = new Date(clock.now());
      const options = { issuer, audience, algorithms, currentDate, requiredClaims: ['exp', 'sub'] };
      const { payload } = await jwtVerify(token, keys(), options);
      const account = accountOfUser(payload.sub ?? '');
      return account === undefined ? invalid('its subject is no ServiceAccount') : { kind: 'valid', account };
    } catch (error) {
      return invalid(error instanceof errors.JOSEError ? error.code : 'it cannot be read');
    }
  };
}

function invalid(message: string): Verification {
  return { kind: 'invalid', message };
}
