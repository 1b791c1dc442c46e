import { createHash, createPublicKey, KeyObject, type webcrypto } from 'node:crypto';
import type { JsonObject } from '../json/json.ts';

/** A key set makes one object of each of its keys. */
const known = new WeakMap<webcrypto.CryptoKey, string>();

/**
 * Returns the SHA-256 of a public key as a certificate has it (SubjectPublicKeyInfo, RFC 5280 §4.1), in base64: equal for
 * the same key, whatever else its JWK says.
 */
export function fingerprintOfKey(key: webcrypto.CryptoKey): string {
  const fingerprint = known.get(key) ?? digest(KeyObject.from(key));
  known.set(key, fingerprint);
  return fingerprint;
}

/** Returns the {@link fingerprintOfKey} of each key that can be read: no token is verified with another one. */
export function fingerprintsOf(jwks: readonly JsonObject[]): ReadonlySet<string> {
  return new Set(
    jwks.flatMap((jwk) => {
      try {
        return [digest(createPublicKey({ key: { ...jwk }, format: 'jwk' }))];
      } catch {
        return [];
      }
    }),
  );
}

function digest(key: KeyObject): string {
  return createHash('sha256')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest('base64');
}
