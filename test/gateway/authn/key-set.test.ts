import { exportJWK, generateKeyPair } from 'jose';
import { describe, expect, it } from 'vitest';
import { parseKeySet, withKeys } from '../../../src/gateway/authn/key-set.ts';
import { createIssuer } from '../../support/gateway/issuer.ts';
import { guideJwk } from '../../support/processes/guide.ts';

const read = async (json: unknown) => withKeys(await parseKeySet(JSON.stringify(json)));
const whyNot = async (json: unknown): Promise<string> =>
  read(json).then(
    () => 'accepted',
    (error: Error) => error.message,
  );

const refused: [string, unknown, string][] = [
  ['no object', 'x', 'it is neither a JSON Web Key nor a set of them: write one key with "kty", or {"keys": [...]}'],
  ['a list', [guideJwk], 'it is neither a JSON Web Key nor a set'],
  ['keys that are no list', { keys: guideJwk }, 'it is neither a JSON Web Key nor a set'],
  ['an empty set', { keys: [] }, 'there is no key in it'],
  ['more keys than anybody publishes', { keys: Array(101).fill(guideJwk) }, 'it has 101 keys: at most 100 are read'],
  ['more values than keys have', { keys: [], other: Array(20_000).fill(0) }, 'it has too many values or levels'],
  ['a deep value', JSON.parse(`${'['.repeat(11)}${']'.repeat(11)}`), 'it has too many values or levels'],
  ['a set of something else', { keys: [5] }, 'key number 1 is not an object'],
  [
    'a private key',
    { ...guideJwk, d: 'x' },
    `the key "${guideJwk.kid}" holds a private key (its member "d"): keep that with the issuer`,
  ],
  ['a private prime', { ...guideJwk, p: 'x' }, 'holds a private key (its member "p")'],
  ['a shared secret', { kty: 'oct', k: 'c2VjcmV0' }, 'key number 1 is a shared secret'],
  ['a shared secret in disguise', { ...guideJwk, k: 'c2VjcmV0' }, 'is a shared secret'],
  ['a key for encryption', { ...guideJwk, use: 'enc' }, 'is not for signatures: its "use" is not "sig"'],
  [
    'a key for signing only',
    { ...guideJwk, key_ops: ['sign'] },
    'is not for verifying: its "key_ops" do not contain "verify"',
  ],
  ['a key for HS256', { ...guideJwk, alg: 'HS256' }, 'is for another algorithm'],
  ['a key for another family', { ...guideJwk, alg: 'RS256' }, 'cannot be read'],
  ['another kind of key', { ...guideJwk, kty: 'AKP' }, 'has no "kty" of RSA, EC or OKP'],
  ['another curve', { ...guideJwk, crv: 'secp256k1' }, 'is on a curve that no accepted signature uses'],
  [
    'a key for key agreement',
    { kty: 'OKP', crv: 'X25519', x: 'AAAA' },
    'is on a curve that no accepted signature uses',
  ],
  ['an id that is no text', { ...guideJwk, kid: 5 }, 'key number 1 has a "kid" that is not text'],
  ['a point that is not on the curve', { ...guideJwk, x: guideJwk.y }, 'cannot be read'],
  ['an RSA key without modulus', { kty: 'RSA', e: 'AQAB' }, 'is an RSA key of 0 bits'],
];

describe('a key set', () => {
  it('is a JWK or a JWK Set', async () => {
    expect((await read(guideJwk)).kids).toEqual([guideJwk.kid]);
    expect((await read({ keys: [guideJwk, { ...guideJwk, kid: undefined }] })).kids).toEqual([guideJwk.kid, null]);
    expect((await parseKeySet(`\uFEFF${JSON.stringify(guideJwk)}`)).kids).toEqual([guideJwk.kid]);
  });

  it.each(['RS256', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'])(
    'may contain keys for %s, with and without "alg"',
    async (alg) => {
      const { jwk } = await createIssuer(alg);
      expect((await read({ keys: [jwk, { ...jwk, alg }] })).skipped).toEqual([]);
    },
  );

  it.each(refused)('is rejected: %s', async (_, json, why) => {
    expect(await whyNot(json)).toContain(why);
  });

  it('that is not JSON is rejected without being quoted', async () => {
    await expect(parseKeySet('{"d": "secret"')).rejects.toThrow(/^it is not JSON$/);
  });

  it('requires RSA keys of at least 2048 bits, counted exactly', async () => {
    const { publicKey } = await generateKeyPair('RS256', { modulusLength: 2048, extractable: true });
    const jwk = await exportJWK(publicKey);
    expect(await whyNot(jwk)).toBe('accepted');
    const modulus = Buffer.from(jwk.n ?? '', 'base64url');
    const padded = Buffer.concat([Buffer.alloc(8), modulus.subarray(0, 248)]).toString('base64url');
    expect(await whyNot({ ...jwk, n: padded })).toContain('is an RSA key of 1984 bits: make one of at least 2048');
    expect(
      await whyNot({ ...jwk, n: Buffer.concat([Buffer.of(0x7f), modulus.subarray(1)]).toString('base64url') }),
    ).toContain('2047 bits');
  });

  it('skips invalid keys and keeps the valid ones', async () => {
    const set = await read({ keys: [{ ...guideJwk, kid: 'own', d: 'x' }, guideJwk, { kty: 'oct', k: 'x' }] });
    expect(set.kids).toEqual([guideJwk.kid]);
    expect(set.skipped).toEqual([
      expect.stringMatching(/^the key "own" holds a private key/),
      expect.stringMatching(/^key number 3 is a shared secret/),
    ]);
  });
});
