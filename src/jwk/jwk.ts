import { isJsonObject, type JsonObject } from '../json/json.ts';
import { quoted } from '../json/quoted.ts';

/** The accepted signature algorithms. No symmetric ones: every holder of such a key could sign tokens. */
export const algorithms: readonly string[] = [
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  ...['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'],
];

/**
 * Returns why a JSON Web Key (RFC 7517) must not verify tokens, as the end of a sentence about it: a key that contains a
 * secret, one for another purpose than signatures, and a weak one. Undefined for a key whose numbers may still be none.
 */
export function jwkProblem(json: unknown): string | undefined {
  if (!isJsonObject(json)) return 'is not an object';
  return fieldProblem(json) ?? purposeProblem(json) ?? strengthProblem(json);
}

/** The algorithm of a key without `alg`, with which the platform imports it. Undefined for an unknown type or curve. */
export function defaultAlgorithm(jwk: JsonObject): string | undefined {
  return defaultAlgorithms.get(jwk['kty'] === 'RSA' ? 'RSA' : `${String(jwk['kty'])} ${String(jwk['crv'])}`);
}

/** Returns the keys of a JWK Set, or a single JWK as a set of one; undefined for another value. */
export function jwkEntries(json: unknown): readonly unknown[] | undefined {
  if (!isJsonObject(json)) return undefined;
  if (Array.isArray(json['keys'])) return json['keys'];
  return 'kty' in json ? [json] : undefined;
}

/** Values and keys of the JSON of a set, and its levels: a JWK has about ten members, and certificates in a list. */
export const jwkBounds = { maxValues: 20_000, maxDepth: 10 } as const;

/** The most keys of one text. Issuers publish a handful: the present ones, and the next. */
export const maxPublicKeys = 100;

/** What {@link jwkEntries} reads, for the message about something else. */
export const jwkForms = 'it is neither a JSON Web Key nor a set of them: write one key with "kty", or {"keys": [...]}';

/** Names a key of a set in a message, by its id or its position. */
export function jwkName(entry: unknown, index: number): string {
  const kid = isJsonObject(entry) ? entry['kid'] : undefined;
  return typeof kid === 'string' ? `the key ${quoted(kid)}` : `key number ${index + 1}`;
}

/** The members of a private key (RFC 7518 §6). */
const privateMembers = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth'] as const;

/** By `kty`, and `crv` of other keys than RSA. */
const defaultAlgorithms: ReadonlyMap<string, string> = new Map([
  ['RSA', 'RS256'],
  ['EC P-256', 'ES256'],
  ['EC P-384', 'ES384'],
  ['EC P-521', 'ES512'],
  ['OKP Ed25519', 'EdDSA'],
]);

function fieldProblem(jwk: JsonObject): string | undefined {
  if (jwk['kty'] === 'oct' || Object.hasOwn(jwk, 'k')) {
    return 'is a shared secret, with which everybody who verifies tokens could make them; use an RSA, EC or Ed25519 key';
  }
  const member = privateMembers.find((name) => Object.hasOwn(jwk, name));
  if (member !== undefined) {
    return `holds a private key (its member "${member}"): keep that with the issuer, replace it if others have seen this file, and put only the public key here`;
  }
  if (!['RSA', 'EC', 'OKP'].includes(String(jwk['kty']))) return 'has no "kty" of RSA, EC or OKP';
  const text = ['kid', 'use', 'alg', 'crv'].find((name) => Object.hasOwn(jwk, name) && typeof jwk[name] !== 'string');
  return text === undefined ? undefined : `has a "${text}" that is not text`;
}

function purposeProblem(jwk: JsonObject): string | undefined {
  if (Object.hasOwn(jwk, 'use') && jwk['use'] !== 'sig') return 'is not for signatures: its "use" is not "sig"';
  const operations = jwk['key_ops'];
  if (operations !== undefined && !(Array.isArray(operations) && operations.includes('verify'))) {
    return 'is not for verifying: its "key_ops" do not contain "verify"';
  }
  if (typeof jwk['alg'] === 'string' && !algorithms.includes(jwk['alg'])) {
    return `is for another algorithm: its "alg" is none of ${algorithms.join(', ')}`;
  }
  if (defaultAlgorithm(jwk) === undefined) {
    return 'is on a curve that no accepted signature uses: "crv" must be P-256, P-384, P-521 or Ed25519';
  }
  return undefined;
}

function strengthProblem(jwk: JsonObject): string | undefined {
  if (jwk['kty'] !== 'RSA') return undefined;
  const bits = typeof jwk['n'] === 'string' ? bitLength(Buffer.from(jwk['n'], 'base64url')) : 0;
  return bits < 2048 ? `is an RSA key of ${bits} bits: make one of at least 2048` : undefined;
}

/** The bits of a big-endian integer, without leading zeros. */
function bitLength(bytes: Uint8Array): number {
  const first = bytes.findIndex((byte) => byte !== 0);
  return first === -1 ? 0 : (bytes.length - first) * 8 - Math.clz32(bytes[first] ?? 0) + 24;
}
