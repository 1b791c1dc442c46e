import { createPublicKey } from 'node:crypto';
import { parseBoundedJson } from '../json/bounded-json.ts';
import { isJsonObject, type JsonObject, textIn } from '../json/json.ts';
import { defaultAlgorithm, jwkBounds, jwkEntries, jwkForms, jwkName, jwkProblem, maxPublicKeys } from './jwk.ts';

/** A public key with an id, which every agentgateway of version 1 can verify tokens with. */
export interface PublicKey {
  /** 1 to 256 characters, none of them a control character. */
  readonly kid: string;
  /** The key as JSON with the members that verifying needs, in one spelling for each key. */
  readonly json: string;
}

/** The keys of a text, or the reason why none of it is understood, as the end of a sentence about the text. */
export type PublicKeys =
  | {
      readonly kind: 'keys';
      /** By `kid`, ascending; no two have the same. */
      readonly keys: readonly PublicKey[];
      /** The keys that are left out, each as the end of the sentence "it has …". */
      readonly dropped: readonly string[];
    }
  | { readonly kind: 'unreadable'; readonly reason: string };

/**
 * Reads a JWK Set or a single JWK (RFC 7517) for data planes that get it from the control plane. Leaves out what such a
 * data plane would refuse the whole set for, or what must not verify tokens: keys without an id, with a secret, for other
 * algorithms. Of keys that share an id none is read, since a token cannot mean one of them; equal keys count once.
 */
export function readPublicKeys(text: string): PublicKeys {
  const parsed = parseBoundedJson(text.replace(/^\uFEFF/, ''), jwkBounds);
  // The parser's own message would quote the text, which may contain a secret.
  if (parsed.kind === 'not-json') return unreadable('it is not JSON');
  if (parsed.kind !== 'json') return unreadable('it has too many values or levels');
  const entries = jwkEntries(parsed.value);
  if (entries === undefined) return unreadable(jwkForms);
  if (entries.length > maxPublicKeys)
    return unreadable(`it has ${entries.length} keys: write at most ${maxPublicKeys}`);
  const byId = new Map<string, Set<string>>();
  const dropped: string[] = [];
  for (const [index, entry] of entries.entries()) {
    const key = readPublicKey(entry);
    if (typeof key === 'string') dropped.push(`${jwkName(entry, index)}, which ${key}`);
    else byId.set(key.kid, (byId.get(key.kid) ?? new Set<string>()).add(key.json));
  }
  const keys: PublicKey[] = [];
  for (const [kid, [json, ...others]] of [...byId].sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (json !== undefined && others.length === 0) keys.push({ kid, json });
    else
      dropped.push(
        `${jwkName({ kid }, 0)} ${others.length + 1} times with different contents: give each its own "kid"`,
      );
  }
  return { kind: 'keys', keys, dropped };
}

/** The JWK Set of some keys, as JSON: equal keys give equal text. */
export function jwkSetText(keys: readonly PublicKey[]): string {
  return `{"keys":[${keys.map(({ json }) => json).join(',')}]}`;
}

function unreadable(reason: string): PublicKeys {
  return { kind: 'unreadable', reason };
}

/** Returns the key, or why it is left out as the end of a sentence about it. */
function readPublicKey(json: unknown): PublicKey | string {
  const problem = jwkProblem(json);
  if (problem !== undefined || !isJsonObject(json)) return problem ?? 'is not an object';
  const { kid } = json;
  if (typeof kid !== 'string' || kid === '') return 'has no "kid": agentgateway finds keys by it, give it one';
  if (kid.length > 256 || /\p{Cc}/u.test(kid) || !kid.isWellFormed())
    return 'has a "kid" of more than 256 characters, or with a control character';
  const algorithm = algorithmOf(json);
  if (algorithm === undefined)
    return 'is for an algorithm that its type and curve do not have, or that agentgateway lacks';
  const members = publicMembers(json);
  if (members === undefined) return 'cannot be read: its numbers are no public key';
  const alg = algorithm === '' ? {} : { alg: algorithm };
  return { kid, json: JSON.stringify({ kty: json['kty'], kid, ...alg, ...members }) };
}

/**
 * The `alg` to send: empty for an RSA key without one, which verifies RS256 to PS512. A data plane that knows no name of
 * RFC 9864 refuses a set with one; and the library of agentgateway verifies no ES512.
 */
function algorithmOf(jwk: JsonObject): string | undefined {
  const own = defaultAlgorithm(jwk);
  const { alg } = jwk;
  if (own === 'ES512') return undefined;
  if (own === 'RS256') {
    if (alg === undefined) return '';
    return typeof alg === 'string' && /^[RP]S(256|384|512)$/.test(alg) ? alg : undefined;
  }
  const named = alg === 'Ed25519' ? 'EdDSA' : alg;
  return named === undefined || named === own ? own : undefined;
}

/** The numbers of a key, in the platform's spelling; undefined when they are no key of its type. */
function publicMembers(jwk: JsonObject): JsonObject | undefined {
  const [kty = '', crv = '', n = '', e = '', x = '', y = ''] = ['kty', 'crv', 'n', 'e', 'x', 'y'].map((name) =>
    textIn(jwk, name),
  );
  const numbers = kty === 'RSA' ? { n, e } : kty === 'EC' ? { crv, x, y } : { crv, x };
  try {
    const written = createPublicKey({ key: { kty, ...numbers }, format: 'jwk' }).export({ format: 'jwk' });
    if (kty === 'RSA') return isRsa(written.n, written.e) ? { n: written.n, e: written.e } : undefined;
    return kty === 'EC' ? { crv: written.crv, x: written.x, y: written.y } : { crv: written.crv, x: written.x };
  } catch {
    return undefined;
  }
}

/**
 * With an exponent of 1 anybody can make signatures, and verifying takes time with its length and that of the modulus:
 * an odd one of 3 to 2^32, and at most 8192 bits, as the libraries of data planes accept.
 */
function isRsa(n = '', e = ''): boolean {
  const exponent = Buffer.from(e, 'base64url');
  const value = exponent.length <= 4 ? Number(`0x${exponent.toString('hex') || '0'}`) : 0;
  return value >= 3 && value % 2 === 1 && Buffer.from(n, 'base64url').length <= 1024;
}
