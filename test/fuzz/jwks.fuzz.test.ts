import { describe, expect } from 'vitest';
import { type KeySet, parseKeySet } from '../../src/gateway/authn/key-set.ts';
import { isJsonObject, parseJson } from '../../src/json/json.ts';
import { fuzz } from '../support/fuzz/fuzz.ts';

/** In the corpus, the private member of a key. */
const secret = 'c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3I';

describe('a key set', () => {
  fuzz('has only public keys to verify with, or is refused without a quotation', {
    corpus: new URL('./corpus/jwks/', import.meta.url),
    dictionary: [
      '"d":"1"',
      '"k":"1"',
      '"kty":"oct"',
      '"kty":"EC"',
      '"use":"enc"',
      '"kid":null',
      '"crv":"P-256"',
      '{',
      '}',
      ',',
    ],
    async run(input) {
      const text = input.toString();
      const outcome = await parseKeySet(text).catch((error: unknown) => error);
      const json = parseJson(text.replace(/^\uFEFF/, ''))?.value;
      const entries = isJsonObject(json) && Array.isArray(json['keys']) ? json['keys'] : [json];
      // An input may have it as the id of a key, which is no secret and names the key.
      const isId = entries.some((entry) => isJsonObject(entry) && String(entry['kid']).includes(secret));
      if (outcome instanceof Error) {
        if (!isId) expect(outcome.message).not.toContain(secret);
        return;
      }
      const set = outcome as KeySet;
      expect(set.kids.length + set.skipped.length).toBe(entries.length);
      if (!isId) expect(set.skipped.join()).not.toContain(secret);
      const isPrivate = (entry: unknown): boolean => isJsonObject(entry) && ('d' in entry || 'k' in entry);
      expect(set.kids.length).toBeLessThanOrEqual(entries.filter((entry) => !isPrivate(entry)).length);
    },
  });
});
