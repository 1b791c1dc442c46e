import { describe, expect } from 'vitest';
import { discoverKeys } from '../../src/gateway/authn/discovery.ts';
import { isJsonObject, parseJson } from '../../src/json/json.ts';
import { maxPublicKeys } from '../../src/jwk/jwk.ts';
import { jwkSetText, readPublicKeys } from '../../src/jwk/public-keys.ts';
import { fuzz } from '../support/fuzz/fuzz.ts';

const issuer = 'https://issuer.example';

/** In the corpus, the private member of a key. */
const secret = 'c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3I';

describe('what an issuer publishes', () => {
  fuzz('about itself leads to keys over TLS only, and only if it names the issuer that was asked for', {
    corpus: new URL('./corpus/issuer-metadata/', import.meta.url),
    dictionary: [
      '"issuer":"https://issuer.example"',
      '"jwks_uri":',
      'http:',
      'file:///',
      '//',
      '@',
      '\\u0068',
      '{',
      '}',
    ],
    async run(input) {
      const text = input.toString();
      const outcome = await discoverKeys(
        issuer,
        async () => text,
        () => 1,
      ).catch((error: unknown) => error);
      if (outcome instanceof URL) {
        expect(outcome.protocol).toBe('https:');
        const metadata = parseJson(text)?.value;
        expect(isJsonObject(metadata) && metadata['issuer']).toBe(issuer);
        return;
      }
      expect(outcome).toBeInstanceOf(Error);
      expect(String(outcome).length).toBeLessThanOrEqual(1_000);
    },
  });

  fuzz('as keys is public, at most a hundred, and the same when it is read again', {
    corpus: new URL('./corpus/public-keys/', import.meta.url),
    dictionary: [
      '"d":"1"',
      '"k":"1"',
      '"kty":"oct"',
      '"kty":"EC"',
      '"alg":"none"',
      '"kid":"a"',
      '"e":"AQ"',
      '{',
      '}',
      ',',
    ],
    run(input) {
      const found = readPublicKeys(input.toString());
      if (found.kind !== 'keys') {
        expect(found.reason).not.toContain(secret);
        return;
      }
      expect(found.keys.length).toBeLessThanOrEqual(maxPublicKeys);
      expect(found.dropped.join()).not.toContain(secret);
      for (const { json } of found.keys) {
        const names = Object.keys(JSON.parse(json));
        expect(names.filter((name) => !['kty', 'kid', 'alg', 'crv', 'n', 'e', 'x', 'y'].includes(name))).toEqual([]);
      }
      if (found.keys.length > 0) expect(readPublicKeys(jwkSetText(found.keys))).toEqual({ ...found, dropped: [] });
    },
  });
});
