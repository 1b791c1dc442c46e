import { importJWK, type JWK } from 'jose';
import { isJsonObject, type JsonObject } from '../../json/json.ts';
import { reasonOf } from '../errors.ts';

/** The accepted signature algorithms. No symmetric ones: every holder of such a key could sign tokens. */
export const algorithms: readonly string[] = [
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  ...['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'],
];

/** A key to verify tokens with, or the reason why it must not be used. */
export type JwkValidation =
  | { readonly kind: 'key'; readonly jwk: JWK }
  | { readonly kind: 'invalid'; readonly problem: string };

/**
 * Validates one JSON Web Key (RFC 7517). Rejects keys that contain a secret, keys for other purposes than verifying
 * signatures, weak keys, and keys that the platform cannot import.
 */
export async function validateJwk(json: unknown): Promise<JwkValidation> {
  if (!isJsonObject(json)) return invalid('is not an object');
  const problem = fieldProblem(json) ?? purposeProblem(json) ?? strengthProblem(json);
  if (problem !== undefined) return invalid(problem);
  // `ext` says whether a key may be exported, which a public key always may: its thumbprint is part of identities.
  const { ext: _, ...jwk } = json as JWK;
  try {
    await importJWK(jwk, jwk.alg ?? defaultAlgorithms.get(`${jwk.kty} ${jwk.crv ?? ''}`.trim()));
  } catch (error) {
    return invalid(`cannot be read: ${reasonOf(error)}`);
  }
  return { kind: 'key', jwk };
}

function invalid(problem: string): JwkValidation {
  return { kind: 'invalid', problem };
}

/** The members of a private key (RFC 7518 §6). */
const privateMembers = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth'] as const;

/** By `kty` and `crv`; for importing a key without `alg`. */
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
  if (jwk['kty'] !== 'RSA' && !defaultAlgorithms.has(`${String(jwk['kty'])} ${String(jwk['crv'])}`)) {
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
