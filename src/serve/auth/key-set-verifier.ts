import { createLocalJWKSet, errors, type JSONWebKeySet, jwtVerify } from 'jose';
import type { Clock } from '../../edges.ts';
import { parseBoundedJson } from '../../json/bounded-json.ts';
import { isJsonObject } from '../../json/json.ts';
import { fingerprintOfKey, fingerprintsOf } from '../../jwk/fingerprint.ts';
import { algorithms, jwkEntries, jwkForms, jwkName, jwkProblem } from '../../jwk/jwk.ts';
import { accountOfUser } from './identity.ts';
import type { Verification, VerifyToken } from './token-cache.ts';

/** A set has a key or two for each issuer; the structure of one key has about ten values. */
const keySetBounds = { maxValues: 4_000, maxDepth: 8 };

/** The keys that tokens are verified with. */
export interface KeySet {
  readonly find: ReturnType<typeof createLocalJWKSet>;
  readonly fingerprints: ReadonlySet<string>;
}

/**
 * Reads a JSON Web Key Set (RFC 7517).
 *
 * @throws Error when the text is none, has a secret, or no key that may verify tokens
 */
export function readKeySet(text: string): KeySet {
  const json = parseBoundedJson(text, keySetBounds);
  const entries = json.kind === 'json' ? jwkEntries(json.value) : undefined;
  if (entries === undefined) throw new Error(jwkForms);
  if (entries.length === 0) throw new Error('there is no key in it');
  if (entries.some((entry) => isJsonObject(entry) && (entry['kty'] === 'oct' || 'd' in entry)))
    throw new Error('there is a secret in it: keep the public keys only');
  // Issuers publish keys for other purposes, such as encryption, in the same set.
  const keys = entries.filter(isJsonObject).filter((entry) => jwkProblem(entry) === undefined);
  if (keys.length === 0)
    throw new Error(entries.map((entry, index) => `${jwkName(entry, index)} ${jwkProblem(entry)}`).join('; '));
  const set: JSONWebKeySet = { keys: keys.map((key) => ({ ...key })) };
  return { find: createLocalJWKSet(set), fingerprints: fingerprintsOf(keys) };
}

/** Verifies tokens of ServiceAccounts with keys that are known, without a cluster. */
export function createKeySetVerifier(
  keys: () => KeySet,
  { issuer, audience, clock }: { readonly issuer: string; readonly audience: string; readonly clock: Clock },
): VerifyToken {
  return async (token) => {
    try {
      const currentDate = new Date(clock.now());
      const options = { issuer, audience, algorithms: [...algorithms], currentDate, requiredClaims: ['exp', 'sub'] };
      const { payload, key } = await jwtVerify(token, keys().find, options);
      const account = accountOfUser(payload.sub ?? '');
      if (account === undefined) return invalid('its subject is no ServiceAccount');
      const fingerprint = fingerprintOfKey(key);
      return { kind: 'valid', account, isKeyAccepted: () => keys().fingerprints.has(fingerprint) };
    } catch (error) {
      return invalid(error instanceof errors.JOSEError ? error.code : 'it cannot be read');
    }
  };
}

function invalid(message: string): Verification {
  return { kind: 'invalid', message };
}
