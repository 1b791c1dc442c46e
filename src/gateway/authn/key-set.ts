import { createLocalJWKSet, type JWK, type JWTVerifyGetKey } from 'jose';
import type { Clock, Logger, Stop } from '../../edges.ts';
import { isJsonObject, parseJson } from '../../json/json.ts';
import { quoted } from '../../json/quoted.ts';
import { reasonOf } from '../errors.ts';
import { validateJwk } from './jwk.ts';

/** Keys to verify tokens with; at least one. */
export interface KeySet {
  /** Finds the key for a token's header; throws the errors of jose's key sets. */
  readonly find: JWTVerifyGetKey;
  /** The key ids, `null` for a key without one. */
  readonly kids: readonly (string | null)[];
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
   * Returns the current keys; the same object while they are unchanged. `undefined` when no keys could be loaded so far.
   * Never waits for another machine once there are keys.
   *
   * @param missed a set in which a token found no key: waits for a newer one, if it can be had now
   */
  keys(missed?: KeySet): Promise<KeySet | undefined>;
  /** Ends timers. The keys stay in use. */
  readonly stop: Stop;
}

/** Dependencies of a key source. */
export interface KeyParts {
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * Parses a single JWK or a JWK Set. Skips and reports keys that must not be used.
 *
 * @throws Error when the text is neither of the two, or when no key is left
 */
export async function parseKeySet(text: string): Promise<KeySet> {
  const json = parseJson(text.replace(/^\uFEFF/, ''));
  // The parser's own message would quote the text, which could contain a secret.
  if (json === undefined) throw new Error('it is not JSON');
  const keys: JWK[] = [];
  const skipped: string[] = [];
  for (const [index, entry] of entriesOf(json.value).entries()) {
    const validation = await validateJwk(entry);
    if (validation.kind === 'key') keys.push(validation.jwk);
    else skipped.push(`${nameOf(entry, index)} ${validation.problem}`);
  }
  if (keys.length === 0) throw new Error(skipped.length === 0 ? 'there is no key in it' : skipped.join('; '));
  return { find: finderOf(keys), kids: keys.map(({ kid }) => kid ?? null), skipped };
}

/** A single key without an id also matches a token that names one: the token cannot mean another key. */
function finderOf(keys: readonly JWK[]): JWTVerifyGetKey {
  const find = createLocalJWKSet({ keys: [...keys] });
  const [only, ...others] = keys;
  if (only?.kid !== undefined || others.length > 0) return find;
  return ({ kid: _, ...header }, token) => find(header, token);
}

function entriesOf(json: unknown): readonly unknown[] {
  if (isJsonObject(json)) {
    if (Array.isArray(json['keys'])) return json['keys'];
    if ('kty' in json) return [json];
  }
  throw new Error('it is neither a JSON Web Key nor a set of them: write one key with "kty", or {"keys": [...]}');
}

function nameOf(entry: unknown, index: number): string {
  const kid = isJsonObject(entry) ? entry['kid'] : undefined;
  return typeof kid === 'string' ? `the key ${quoted(kid)}` : `key number ${index + 1}`;
}

/** The message for keys that cannot be loaded. Does not contain their text. */
export function keysProblem(name: string, error: unknown): string {
  return `the keys in ${name} cannot be used: ${reasonOf(error)}`;
}

/** Logs each skipped key with its reason. */
export function warnOfSkipped(set: KeySet, name: string, log: Logger): void {
  for (const problem of set.skipped) log.warn(`in ${name}, ${problem}; it is left out`);
}
