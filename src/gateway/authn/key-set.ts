import { createLocalJWKSet, importJWK, type JWK, type JWTVerifyGetKey } from 'jose';
import type { Clock, Logger, Stop } from '../../edges.ts';
import { parseBoundedJson } from '../../json/bounded-json.ts';
import { isJsonObject } from '../../json/json.ts';
import { fingerprintsOf } from '../../jwk/fingerprint.ts';
import {
  defaultAlgorithm,
  jwkBounds,
  jwkEntries,
  jwkForms,
  jwkName,
  jwkProblem,
  maxPublicKeys,
} from '../../jwk/jwk.ts';
import { reasonOf } from '../../net/errors.ts';
import type { TextFetch } from '../../net/outbound/text-fetch.ts';

/** Keys to verify tokens with; none once the last was withdrawn: then every token is refused. */
export interface KeySet {
  /** Finds the key for a token's header; throws the errors of jose's key sets. */
  readonly find: JWTVerifyGetKey;
  /** The key ids, `null` for a key without one. */
  readonly kids: readonly (string | null)[];
  /** See `jwk/fingerprint.ts`. */
  readonly fingerprints: ReadonlySet<string>;
  /** The keys that were skipped, each with the reason. */
  readonly skipped: readonly string[];
}

/** A source of keys: a file, the configuration, or an issuer's endpoint. */
export interface KeySource {
  /** The name in messages and on the admin page. */
  readonly name: string;
  /** The current keys, without I/O. */
  readonly current: KeySet | undefined;
  /**
   * Returns the current keys; the same object while they are unchanged. `undefined` when no keys could be loaded so
   * far. Never waits for another machine once there are keys.
   *
   * @param missed a set in which a token found no key: waits for a newer one, if it can be had now
   */
  keys(missed?: KeySet): Promise<KeySet | undefined>;
  /** Ends timers. The keys stay in use. */
  readonly stop: Stop;
}

/** Downloads keys and what leads to them. */
export type KeyFetch = (url: string | URL, options: KeyFetchOptions) => Promise<string>;

type KeyFetchOptions = Parameters<TextFetch>[1] & {
  /** The path of the authorities that the certificate is verified by; absent: those that Node has. */
  readonly ca?: string | undefined;
};

/** Dependencies of a key source. */
export interface KeyParts {
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * Parses a single JWK or a JWK Set. Skips and reports keys that must not be used. A set without any that may be used
 * counts, since it withdraws those that were in it; see {@link withKeys} for one to begin with.
 *
 * @throws Error when the text is neither of the two
 */
export async function parseKeySet(text: string): Promise<KeySet> {
  const json = parseBoundedJson(text.replace(/^\uFEFF/, ''), jwkBounds);
  // The parser's own message would quote the text, which could contain a secret.
  if (json.kind === 'not-json') throw new Error('it is not JSON');
  if (json.kind !== 'json') throw new Error('it has too many values or levels');
  const keys: JWK[] = [];
  const skipped: string[] = [];
  const entries = jwkEntries(json.value);
  if (entries === undefined) throw new Error(jwkForms);
  if (entries.length > maxPublicKeys)
    throw new Error(`it has ${entries.length} keys: at most ${maxPublicKeys} are read`);
  for (const [index, entry] of entries.entries()) {
    const validation = await validateJwk(entry);
    if (validation.kind === 'key') keys.push(validation.jwk);
    else skipped.push(`${jwkName(entry, index)} ${validation.problem}`);
  }
  return {
    find: finderOf(keys),
    kids: keys.map(({ kid }) => kid ?? null),
    fingerprints: fingerprintsOf(keys),
    skipped,
  };
}

/**
 * A set to begin with.
 *
 * @throws Error when it has no keys
 */
export function withKeys(set: KeySet): KeySet {
  const { kids, skipped } = set;
  if (kids.length === 0) throw new Error(skipped.length === 0 ? 'there is no key in it' : skipped.join('; '));
  return set;
}

/** A single key without an id also matches a token that names one: the token cannot mean another key. */
function finderOf(keys: readonly JWK[]): JWTVerifyGetKey {
  const find = createLocalJWKSet({ keys: [...keys] });
  const [only, ...others] = keys;
  if (only?.kid !== undefined || others.length > 0) return find;
  return ({ kid: _, ...header }, token) => find(header, token);
}

/** A key to verify tokens with, or the reason why it must not be used. */
type JwkValidation =
  | { readonly kind: 'key'; readonly jwk: JWK }
  | { readonly kind: 'invalid'; readonly problem: string };

/** Rejects keys that must not verify tokens, and keys that the platform cannot import. */
async function validateJwk(json: unknown): Promise<JwkValidation> {
  const problem = jwkProblem(json);
  if (problem !== undefined || !isJsonObject(json)) return { kind: 'invalid', problem: problem ?? '' };
  // `ext` says whether a key may be exported, which a public key always may: its thumbprint is part of identities.
  const { ext: _, ...jwk } = json as JWK;
  try {
    await importJWK(jwk, jwk.alg ?? defaultAlgorithm(json));
  } catch (error) {
    return { kind: 'invalid', problem: `cannot be read: ${reasonOf(error)}` };
  }
  return { kind: 'key', jwk };
}

/** The message for keys that cannot be loaded. Does not contain their text. */
export function keysProblem(name: string, error: unknown): string {
  return `the keys in ${name} cannot be used: ${reasonOf(error)}`;
}

/** Logs each skipped key with its reason, and that there is none. */
export function warnOfSkipped(set: KeySet, name: string, log: Logger): void {
  for (const problem of set.skipped) log.warn(`in ${name}, ${problem}; it is left out`);
  if (set.kids.length === 0) log.warn(`there is no usable key in ${name} any more: every token of it is refused`);
}
