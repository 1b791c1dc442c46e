import { generateKeyPairSync, type JsonWebKey } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { maxPublicKeys } from '../../src/jwk/jwk.ts';
import { jwkSetText, type PublicKeys, readPublicKeys } from '../../src/jwk/public-keys.ts';

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export({ format: 'jwk' });
const p256 = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' });
const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' }).publicKey.export({ format: 'jwk' });
const p521 = generateKeyPairSync('ec', { namedCurve: 'P-521' }).publicKey.export({ format: 'jwk' });
const secp256k1 = generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).publicKey.export({ format: 'jwk' });
const ed25519 = generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' });
const ed448 = generateKeyPairSync('ed448').publicKey.export({ format: 'jwk' });

const read = (...keys: readonly unknown[]): PublicKeys => readPublicKeys(JSON.stringify({ keys }));
const written = (...keys: readonly unknown[]): readonly unknown[] => {
  const found = read(...keys);
  if (found.kind !== 'keys') throw new Error(found.reason);
  return found.keys.map(({ json }): unknown => JSON.parse(json));
};
const dropped = (...keys: readonly unknown[]): readonly string[] => {
  const found = read(...keys);
  if (found.kind !== 'keys') throw new Error(found.reason);
  expect(found.keys).toEqual([]);
  return found.dropped;
};
const withKid = (jwk: JsonWebKey, fields: Readonly<Record<string, unknown>> = {}): Record<string, unknown> => ({
  ...jwk,
  kid: 'a',
  ...fields,
});

describe('a key that is sent', () => {
  it.each<[string, JsonWebKey, string | undefined]>([
    ['RSA', rsa, undefined],
    ['P-256', p256, 'ES256'],
    ['P-384', p384, 'ES384'],
    ['Ed25519', ed25519, 'EdDSA'],
  ])('of type %s has its public members, its id and the algorithm that it is for', (_type, jwk, alg) => {
    const extra = { use: 'sig', key_ops: ['verify'], x5c: ['AA'], ext: true };
    expect(written(withKid(jwk, extra))).toEqual([{ ...jwk, kid: 'a', ...(alg === undefined ? {} : { alg }) }]);
  });

  it('keeps the algorithm of an RSA key, and gets the older name of one that agentgateway cannot parse', () => {
    expect(written(withKid(rsa, { alg: 'PS384' }))).toMatchObject([{ alg: 'PS384' }]);
    expect(written(withKid(ed25519, { alg: 'Ed25519' }))).toMatchObject([{ alg: 'EdDSA' }]);
  });

  it('is the same text, whatever the order and the members that do not matter', () => {
    const [one, two] = [withKid(rsa, { kid: 'one' }), withKid(p256, { kid: 'two', use: 'sig' })];
    const reordered = Object.fromEntries(Object.entries(one).reverse());
    const texts = [read(one, two), read({ ...two, use: undefined, nbf: 1 }, reordered, two)].map((found) =>
      found.kind === 'keys' ? jwkSetText(found.keys) : found.reason,
    );
    expect(texts[0]).toBe(texts[1]);
    expect(JSON.parse(texts[0] ?? '')).toMatchObject({ keys: [{ kid: 'one' }, { kid: 'two' }] });
  });

  it('may stand alone, without a set around it', () => {
    expect(readPublicKeys(JSON.stringify(withKid(p256)))).toMatchObject({ kind: 'keys', keys: [{ kid: 'a' }] });
  });
});

describe('a key that is left out', () => {
  it.each<[string, unknown, RegExp]>([
    ['without an id', p256, /no "kid"/],
    ['with an empty id', withKid(p256, { kid: '' }), /no "kid"/],
    ['with a line break in its id', withKid(p256, { kid: 'a\nb' }), /control character/],
    ['with an endless id', withKid(p256, { kid: 'a'.repeat(257) }), /256 characters/],
    ['with a private member', withKid(p256, { d: 'AA' }), /private key/],
    ['that is a shared secret', { kty: 'oct', kid: 'a', k: 'AA' }, /shared secret/],
    ['of 1024 bits', withKid({ ...rsa, n: rsa.n?.slice(0, 171) ?? '' }), /1023|1024|102/],
    ['whose exponent is one, with which anybody can sign', withKid(rsa, { e: 'AQ' }), /no public key/],
    ['whose exponent is even', withKid(rsa, { e: 'AQAA' }), /no public key/],
    ['whose exponent has more than 32 bits', withKid(rsa, { e: 'AQAAAAE' }), /no public key/],
    ['beside its curve', withKid(p256, { y: p256.x }), /no public key/],
    ['without a coordinate', withKid(p256, { y: undefined }), /no public key/],
    ['on P-521', withKid(p521), /agentgateway lacks/],
    ['on secp256k1', withKid(secp256k1), /curve/],
    ['on Ed448', withKid(ed448), /curve/],
    ['for another curve', withKid(p256, { alg: 'ES384' }), /algorithm/],
    ['for another type', withKid(rsa, { alg: 'ES256' }), /algorithm/],
    ['for a MAC', withKid(rsa, { alg: 'HS256' }), /algorithm/],
    ['for encryption', withKid(rsa, { use: 'enc' }), /not for signatures/],
    ['that is a number', 5, /not an object/],
  ])('%s is reported with its name and the reason', (_what, key, reason) => {
    expect(dropped(key)).toEqual([expect.stringMatching(/^(the key "|key number 1, )/)]);
    expect(dropped(key)[0]).toMatch(reason);
  });

  it('shares its id with another key: none of them is read, in either order', () => {
    const [one, two] = [withKid(p256), withKid(ed25519)];
    for (const keys of [
      [one, two],
      [two, one],
    ]) {
      expect(dropped(...keys)).toEqual([expect.stringContaining('the key "a" 2 times with different contents')]);
    }
  });

  it('leaves its neighbours', () => {
    expect(read({ kty: 'oct' }, withKid(p256))).toMatchObject({ keys: [{ kid: 'a' }], dropped: [expect.anything()] });
  });

  it('is never quoted with its secret', () => {
    const secret = 'c2VjcmV0LXNlY3JldA';
    expect(JSON.stringify(read({ kty: 'oct', kid: 'a', k: secret }, withKid(p256, { d: secret })))).not.toContain(
      secret,
    );
  });
});

describe('a text', () => {
  it.each([
    ['nothing', ''],
    ['HTML', '<!doctype html><title>Sign in</title>'],
    ['half a set', '{"keys":['],
    ['a list', '[]'],
    ['a string', '"keys"'],
    ['null', 'null'],
    ['an object without keys', '{}'],
    ['keys that are a mapping', '{"keys":{}}'],
    ['more keys than the limit', JSON.stringify({ keys: Array(maxPublicKeys + 1).fill(withKid(p256)) })],
    ['10,000 keys', `{"keys":[${'{},'.repeat(9_999)}{}]}`],
    ['more levels than the limit', `{"keys":[${'['.repeat(100)}${']'.repeat(100)}]}`],
  ])('of %s is not understood, and not repeated', (_what, text) => {
    const found = readPublicKeys(text);
    expect(found.kind).toBe('unreadable');
    expect(JSON.stringify(found).length).toBeLessThan(200);
  });

  it('without a key has none', () => {
    expect(read()).toEqual({ kind: 'keys', keys: [], dropped: [] });
  });

  it('of any content is read without an error, and yields keys with ids only', () => {
    const member = fc.constantFrom('kty', 'kid', 'alg', 'use', 'crv', 'n', 'e', 'x', 'y', 'd', 'k', 'keys');
    const value = fc.oneof(
      fc.constantFrom('RSA', 'EC', 'OKP', 'P-256', 'Ed25519', 'AQAB', p256.x, p256.y),
      fc.jsonValue(),
    );
    const entry = fc.oneof(fc.dictionary(member, value), fc.constantFrom(withKid(p256), withKid(rsa)));
    fc.assert(
      fc.property(fc.array(entry), (keys) => {
        const found = read(...keys);
        if (found.kind !== 'keys') return;
        expect(new Set(found.keys.map(({ kid }) => kid)).size).toBe(found.keys.length);
        for (const { kid, json } of found.keys)
          expect(JSON.parse(json)).toMatchObject({ kid, kty: expect.any(String) });
        const again = readPublicKeys(jwkSetText(found.keys));
        expect(again).toEqual({ kind: 'keys', keys: found.keys, dropped: [] });
      }),
    );
  });
});
