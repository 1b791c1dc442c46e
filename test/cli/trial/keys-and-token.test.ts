import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { createLocalJWKSet, jwtVerify } from 'jose';
import { describe, expect, it } from 'vitest';
import { verify } from '../../../src/gateway/authn/verify.ts';
import { tokenObjections } from '../../../src/gateway/token-objections.ts';
import { cli } from '../../support/processes/terminal.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

async function newKeys(): Promise<{ readonly key: string; readonly jwks: string }> {
  const folder = join(temporaryFolder(), 'keys');
  expect((await cli(['keys', 'new', '--directory', folder])).code).toBe(0);
  return { key: join(folder, 'private-key.json'), jwks: join(folder, 'jwks.json') };
}

describe('keys new', () => {
  it('writes a private key that its owner alone reads, and the set with its public part', async () => {
    const { key, jwks } = await newKeys();
    expect(statSync(key).mode & 0o777).toBe(0o600);
    const set: unknown = JSON.parse(readFileSync(jwks, 'utf8'));
    expect(set).toMatchObject({
      keys: [{ kty: 'EC', crv: 'P-256', alg: 'ES256', use: 'sig', kid: expect.any(String) }],
    });
    expect(readFileSync(jwks, 'utf8')).not.toContain('"d"');
  });

  it('never replaces a key', async () => {
    const { key } = await newKeys();
    const before = readFileSync(key, 'utf8');
    const { code, stderr } = await cli(['keys', 'new', '-d', join(key, '..')]);
    expect({ code, stderr }).toEqual({ code: 3, stderr: expect.stringContaining('exists already: remove it') });
    expect(readFileSync(key, 'utf8')).toBe(before);
  });

  it.each([
    [['keys'], /say what to do with keys\. Write gatehouse keys new/],
    [['keys', 'nwe'], /unknown word "nwe"\. Did you mean new\?/],
    [['keys', 'frobnicate'], /unknown word "frobnicate"\. Write gatehouse keys new/],
  ])('says what to write instead of %j', async (args, message) => {
    const { code, stderr } = await cli(args);
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringMatching(message) });
  });
});

describe('token', () => {
  it('signs claims that a gateway with the set accepts, and says what it is for', async () => {
    const { key, jwks } = await newKeys();
    const { code, stdout, stderr } = await cli(['token', '--key', key, '--claims', '{"sub":"me","aud":"tools"}']);
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: expect.stringMatching(/^note: this token is for trying things/),
    });
    const { payload } = await jwtVerify(stdout.trim(), createLocalJWKSet(JSON.parse(readFileSync(jwks, 'utf8'))));
    expect(payload).toMatchObject({ sub: 'me', aud: 'tools' });
    expect((payload.exp ?? 0) - (payload.iat ?? 0)).toBe(3600);
  });

  it('keeps dates that are given', async () => {
    const { key } = await newKeys();
    const { stdout } = await cli(['token', '--key', key, '--claims={"exp":5}', '--expires-in=2m']);
    const [, payload = ''] = stdout.split('.');
    expect(JSON.parse(Buffer.from(payload, 'base64url').toString())).toMatchObject({ exp: 5 });
  });

  it.each([
    [['token'], 2, /say which key signs: --key <file>/],
    [['token', '--key=/nowhere'], 3, /cannot be read: ENOENT/],
    [['token', '--key=package.json'], 2, /is no private key/],
    [['token', '--key=package.json', '--claims=x'], 2, /--claims is not JSON/],
    [['token', '--key=package.json', '--expires-in=x'], 2, /--expires-in is a number with a unit/],
  ])('says what is wrong with %j', async (args, code, message) => {
    const run = await cli(args);
    expect({ code: run.code, stdout: run.stdout, stderr: run.stderr }).toEqual({
      code,
      stdout: '',
      stderr: expect.stringMatching(message),
    });
  });

  it.each([
    ['{"exp":"tomorrow"}', 'exp is "tomorrow": write a number of seconds since 1970, without quotes.'],
    ['{"exp":1e400}', 'exp is null: write a number of seconds since 1970, without quotes.'],
    ['{"nbf":true}', 'nbf is true: write a number of seconds since 1970, without quotes.'],
    ['{"iat":-1}', 'iat is -1: write a number of seconds since 1970, without quotes.'],
    ['{"iss":["me"]}', 'iss is ["me"]: write a text.'],
    ['{"sub":5}', 'sub is 5: write a text.'],
    ['{"jti":null}', 'jti is null: write a text.'],
    ['{"aud":["a",1]}', 'aud is ["a",1]: write a text or a list of texts.'],
    ['{"aud":{}}', 'aud is {}: write a text or a list of texts.'],
  ])('signs no claim that verifiers expect to be something else: %s', async (claims, message) => {
    const { code, stdout, stderr } = await cli(['token', '--key=package.json', '--claims', claims]);
    expect({ code, stdout, stderr }).toEqual({ code: 2, stdout: '', stderr: `gatehouse: --claims: ${message}\n` });
  });

  it('does not repeat a key that cannot sign', async () => {
    const file = join(temporaryFolder(), 'key.json');
    writeFileSync(file, '{"kty":"EC","crv":"P-256","d":"secret"}');
    const { code, stderr } = await cli(['token', '--key', file]);
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining('cannot sign with ES256') });
    expect(stderr).not.toContain('secret');
  });
});

describe('what a gateway objects to', () => {
  it('is what its verification refuses, for any dates, issuers and audiences', async () => {
    const { generateKeyPair, SignJWT } = await import('jose');
    const { privateKey, publicKey } = await generateKeyPair('ES256');
    const now = Date.UTC(2026, 0, 1);
    const date = fc.oneof(
      fc.constant(undefined),
      fc.integer({ min: -100, max: 100 }).map((offset) => now / 1000 + offset),
      fc.constantFrom(-1, 0, 1e300),
    );
    const issuer = fc.option(fc.constantFrom('a', 'b'), { nil: undefined });
    const audience = fc.option(fc.oneof(fc.constantFrom('x', 'y'), fc.constant(['x', 'y']), fc.constant([])), {
      nil: undefined,
    });
    const expected = fc.record({ issuers: fc.subarray(['a', 'c']), audiences: fc.subarray(['y', 'z']) });
    const property = fc.asyncProperty(
      fc.record({ exp: date, nbf: date, iat: date, iss: issuer, aud: audience }),
      expected,
      async (payload, accepted) => {
        const claims: Record<string, unknown> = JSON.parse(JSON.stringify(payload));
        const token = await new SignJWT(claims).setProtectedHeader({ alg: 'ES256' }).sign(privateKey);
        const keys = { find: () => Promise.resolve(publicKey), kids: [], fingerprints: new Set<string>(), skipped: [] };
        const { kind } = await verify(token, keys, accepted, now);
        expect(tokenObjections(claims, accepted, now).length === 0).toBe(kind === 'verified');
      },
    );
    await fc.assert(property, { numRuns: 300 });
  });
});
