import { createLocalJWKSet, type JWK, type JWTVerifyGetKey } from 'jose';
import { reasonOf } from '../errors.ts';
import { readJwk } from './jwk.ts';

/** Keys to verify tokens with; at least one. */
export interface KeySet {
  /** Finds the key for a token's header; fails as jose's sets do. */
  readonly find: JWTVerifyGetKey;
  /** The key ids, `null` for a key without one. */
  readonly kids: readonly (string | null)[];
  /** Keys that were left out, each with the reason. */
  readonly refused: readonly string[];
}

/** Where keys come from. */
export interface KeySource {
  /** How it is called in messages and on the admin page. */
  readonly name: string;
  /** What is held at this moment, without asking. */
  readonly held: KeySet | undefined;
  /**
   * The keys of now, the same object as long as nothing changed; `undefined` when they cannot be had and never could.
   *
   * @param missed a set in which a token found no key: asks again early, where that could bring another one
   */
  keys(missed?: KeySet): Promise<KeySet | undefined>;
}

/**
 * Reads a single JWK or a JWK Set. A key that may not be used is left out and reported; the others stay.
 *
 * @throws Error when it is neither of the two, or when no key is left
 */
export async function readKeySet(text: string): Promise<KeySet> {
  const entries = entriesOf(parse(text));
  const keys: JWK[] = [];
  const refused: string[] = [];
  for (const [index, entry] of entries.entries()) {
    const reading = await readJwk(entry);
    if (reading.kind === 'key') keys.push(reading.jwk);
    else refused.push(`${nameOf(entry, index)} ${reading.why}`);
  }
  if (keys.length === 0) throw new Error(refused.length === 0 ? 'there is no key in it' : refused.join('; '));
  return { find: finder(keys), kids: keys.map(({ kid }) => kid ?? null), refused };
}

/** A lone key without an id fits a token that names one: there is nothing else the token could mean. */
function finder(keys: readonly JWK[]): JWTVerifyGetKey {
  const find = createLocalJWKSet({ keys: [...keys] });
  const [only, ...others] = keys;
  if (only?.kid !== undefined || others.length > 0) return find;
  return ({ kid: _, ...header }, token) => find(header, token);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch {
    // The parser's own message quotes the text, which could hold a secret.
    throw new Error('it is not JSON');
  }
}

function entriesOf(json: unknown): readonly unknown[] {
  if (typeof json === 'object' && json !== null && 'keys' in json && Array.isArray(json.keys)) return json.keys;
  if (typeof json === 'object' && json !== null && 'kty' in json) return [json];
  throw new Error('it is neither a JSON Web Key nor a set of them: write one key with "kty", or {"keys": [...]}');
}

function nameOf(entry: unknown, index: number): string {
  const kid = typeof entry === 'object' && entry !== null && 'kid' in entry ? entry.kid : undefined;
  return typeof kid === 'string' ? `the key ${JSON.stringify(kid)}` : `key number ${index + 1}`;
}

/** How a failure to read keys is told; never with the text itself. */
export function keysProblem(name: string, error: unknown): string {
  return `the keys in ${name} cannot be used: ${reasonOf(error)}`;
}
