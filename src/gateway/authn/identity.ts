import { createHash } from 'node:crypto';
import type { CryptoKey, JWTPayload } from 'jose';
import { isJsonObject } from '../../json/json.ts';
import { fingerprintOfKey } from '../../jwk/fingerprint.ts';

/**
 * Returns one text per caller, to whom sessions and shares of limits belong. Two tokens of one caller have the same
 * identity: after a refresh, and in every spelling of a signature (the last character of its base64url has unused
 * bits).
 *
 * A caller is, with the issuer, the first of `sub`, `client_id` (RFC 9068) and `azp` (OpenID Connect) that is a
 * non-empty text. Without any, it is the key that signed and all claims but those that differ from token to token.
 *
 * @param claims of a verified token
 * @param key the key that verified it
 */
export function identityOf(claims: JWTPayload, key: CryptoKey): string {
  const { iss: issuer } = claims;
  if (issuer === undefined || typeof issuer === 'string') {
    for (const name of ['sub', 'client_id', 'azp']) {
      const value = claims[name];
      if (typeof value === 'string' && value !== '') return JSON.stringify([issuer ?? null, name, value]);
    }
  }
  const { jti: _jti, iat: _iat, exp: _exp, nbf: _nbf, ...lasting } = claims;
  const digest = createHash('sha256').update(canonical(lasting)).digest('base64url');
  return JSON.stringify(['key', fingerprintOfKey(key), digest]);
}

/** Writes JSON with the members of every object in one order, which an issuer may change from token to token. */
function canonical(json: unknown): string {
  return JSON.stringify(json, (_, value: unknown) =>
    isJsonObject(value) ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))) : value,
  );
}
