import { createLocalJWKSet, errors, type JSONWebKeySet, jwtVerify } from 'jose';
import type { Clock } from '../../edges.ts';
import { parseBoundedJson } from '../../json/bounded-json.ts';
import { isJsonObject, type JsonObject } from '../../json/json.ts';
import { fingerprintOfKey, fingerprintsOf } from '../../jwk/fingerprint.ts';
import { algorithms, jwkEntries, jwkForms, jwkName, jwkProblem, maxPublicKeys } from '../../jwk/jwk.ts';
import { accountOfUser } from './identity.ts';
import type { Verification, VerifyToken } from './token-cache.ts';

/** A set has a key or two for each issuer; the structure of one key has about ten values. */
const keySetBounds = { maxValues: 4_000, maxDepth: 8 };

/** The keys that tokens are verified with. */
export interface KeySet {
  readonly find: ReturnType<typeof createLocalJWKSet>;
  /** Of each key; none once the last was withdrawn: then every token is refused. */
  readonly fingerprints: ReadonlySet<string>;
  /** The keys that are not used, each with the reason: issuers publish keys for other purposes in the same set. */
  readonly skipped: readonly string[];
}

/**
 * Reads a JSON Web Key Set (RFC 7517). One without a key that may verify tokens counts, since it withdraws those that
 * were in it; see {@link withKeys} for one to begin with.
 *
 * @throws Error when the text is none, or has more than {@link maxPublicKeys}, each of which may be a line of the log
 */
export function readKeySet(text: string): KeySet {
  const json = parseBoundedJson(text, keySetBounds);
  const entries = json.kind === 'json' ? jwkEntries(json.value) : undefined;
  if (entries === undefined) throw new Error(jwkForms);
  if (entries.length > maxPublicKeys)
    throw new Error(`it has ${entries.length} keys: at most ${maxPublicKeys} are read`);
  const keys: JsonObject[] = [];
  const skipped: string[] = [];
  for (const [index, entry] of entries.entries()) {
    const problem = jwkProblem(entry);
    if (problem === undefined && isJsonObject(entry)) keys.push(entry);
    else skipped.push(`${jwkName(entry, index)} ${problem}`);
  }
  const set: JSONWebKeySet = { keys: keys.map((key) => ({ ...key })) };
  return { find: createLocalJWKSet(set), fingerprints: fingerprintsOf(keys), skipped };
}

/**
 * A set to begin with.
 *
 * @throws Error when it has no keys
 */
export function withKeys(set: KeySet): KeySet {
  const { fingerprints, skipped } = set;
  if (fingerprints.size === 0) throw new Error(skipped.length === 0 ? 'there is no key in it' : skipped.join('; '));
  return set;
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
