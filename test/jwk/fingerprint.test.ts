import { exportJWK, generateKeyPair, importJWK } from 'jose';
import { describe, expect, it } from 'vitest';
import { fingerprintOfKey, fingerprintsOf } from '../../src/jwk/fingerprint.ts';
import { algorithms } from '../../src/jwk/jwk.ts';

describe('the fingerprint of a key', () => {
  it.each(algorithms)(
    'of %s is the same for its JWK, with and without what it says beside, and once it is read',
    async (alg) => {
      const { publicKey } = await generateKeyPair(alg);
      const jwk = await exportJWK(publicKey);
      const read = await importJWK(jwk, alg);
      if (read instanceof Uint8Array) throw new Error('a public key is no secret');
      const forms = fingerprintsOf([{ ...jwk }, { ...jwk, alg, kid: 'a', use: 'sig', ext: false }]);
      expect([...forms]).toEqual([fingerprintOfKey(read)]);
      const other = await generateKeyPair(alg);
      expect(forms.has(fingerprintOfKey(other.publicKey))).toBe(false);
    },
  );

  it('is none where the key cannot be read', () => {
    expect([...fingerprintsOf([{ kty: 'EC', crv: 'P-256', x: 'AA', y: 'AA' }, { kty: 'unknown' }])]).toEqual([]);
  });
});
