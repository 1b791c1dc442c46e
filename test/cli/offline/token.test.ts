import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UsageError } from '../../../src/cli/flags.ts';
import { claimsOfJson, decodeToken, tokenNotes } from '../../../src/cli/offline/token.ts';
import { cli } from '../../support/processes/terminal.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { explain, world } from './explain-rig.ts';

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const tokenOf = (claims: object): string => `${encode({ alg: 'ES256' })}.${encode(claims)}.AAAA`;

describe('a token', () => {
  it('is decoded, and its claims and its expiry are shown', async () => {
    const token = tokenOf({ sub: 'me', exp: 1_000_000_000 });
    const { stdout } = await explain(world, '--tool=default/tool:run', `--token=Bearer ${token}`);
    expect(stdout.split('\n').slice(0, 4)).toEqual([
      'claims: {"sub":"me","exp":1000000000}',
      'note: The signature was not verified: a gateway does that, and checks issuer and audience.',
      'note: The token expired at 2001-09-09T01:46:40.000Z: a gateway answers 401. Get a new one.',
      expect.stringContaining('note: No policy has spec.jwt, so agentgateway nodes'),
    ]);
    expect(stdout).toContain(
      '\nallowed by the rules, but the token is refused (see the notes): the tool "default/tool:run" on Gateway default/gw\n',
    );
  });

  it.each([
    [1_000_000_000, 1],
    [4_000_000_000, 0],
  ])('that expires at %i ends with %i where the exit code says whether it is allowed', async (exp, expected) => {
    const token = tokenOf({ sub: 'me', exp });
    const { code } = await explain(world, '--tool=default/tool:run', `--token=${token}`, '--exit-code');
    expect(code).toBe(expected);
  });

  it('is read from standard input', async () => {
    const file = join(temporaryFolder(), 'world.yaml');
    writeFileSync(file, world);
    const token = `${tokenOf({ sub: 'me', exp: 4_000_000_000 })}\n`;
    const { stdout } = await cli(
      ['explain', '-f', file, '--token', '-', '--tool=default/tool:run'],
      {},
      { input: token },
    );
    expect(stdout).toContain('claims: {"sub":"me","exp":4000000000}');
    expect(stdout).toContain('allowed: ');
  });

  it.each([
    ['--token=secret', /--token is no JWT.* One in a file is read with --token - < token\.txt\./],
    ['--token=a.secret.c', /--token is no JWT/],
    [`--token=${tokenOf(['secret'])}`, /--token is no JWT/],
    [`--token=${'secret'.repeat(20_000)}`, /--token is longer than 65536/],
    ['--claims={"sub":secret}', /--claims is not JSON/],
    ['--claims="secret"', /--claims is a JSON object/],
    ['--claims=["secret"]', /--claims is a JSON object/],
  ])('or claims that cannot be read are refused and not repeated: %.40s', async (flag, message) => {
    const { code, stdout, stderr } = await explain(world, flag);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(message);
    expect(stderr).not.toContain('secret');
    expect(stderr).not.toContain(encode(['secret']));
  });
});

/** A text with a part that no message has by chance. */
const odd = fc
  .array(fc.oneof(fc.string(), fc.constantFrom('.', '{', '"sub"', ':', '[', 'Bearer ', 'c2VjcmV0')))
  .map((parts) => `${parts.join('')}§secret§`);

describe('any text', () => {
  it('as a token or as claims is decoded to an object, or refused without being repeated', () => {
    const property = fc.property(fc.constantFrom(decodeToken, claimsOfJson), odd, (decode, text) => {
      try {
        expect(typeof decode(text)).toBe('object');
      } catch (error) {
        expect(error).toBeInstanceOf(UsageError);
        expect(String(error)).not.toContain('secret§');
      }
    });
    fc.assert(property, { numRuns: 1000 });
  });

  it('that is decoded has notes, whatever its times are', async () => {
    const time = fc.oneof(fc.double(), fc.string(), fc.constant(undefined), fc.constant(null));
    await fc.assert(
      fc.asyncProperty(time, time, async (exp, nbf) => {
        const { notes } = await tokenNotes({ exp, nbf }, undefined, Date.UTC(2026, 0, 1));
        for (const note of notes) expect(note).toMatch(/\.$/);
      }),
    );
  });
});

describe('the configuration of a gateway', () => {
  const authn = { type: 'jwt', issuer: ['https://a.example'], audience: ['tools'], jwks: { type: 'local' } };
  const configFile = (listener: object): string => {
    const file = join(temporaryFolder(), 'config.json');
    writeFileSync(file, JSON.stringify({ type: 'xds', xds_address: 'http://127.0.0.1:9977', listener }));
    return file;
  };
  const withAuthn = (): string => {
    const source = { type: 'inline', data: { keys: [] } };
    return configFile({ type: 'sse', host: '::', port: 1, authn: { ...authn, jwks: { type: 'local', source } } });
  };
  const notesOf = async (claims: object, file: string): Promise<readonly string[]> => {
    const { stdout } = await explain(
      world,
      '--tool=default/tool:run',
      `--token=${tokenOf(claims)}`,
      `--config=${file}`,
    );
    return stdout.split('\n').filter((line) => line.startsWith('note: '));
  };

  it('says whether it would accept issuer and audience of a token', async () => {
    const exp = 4_000_000_000;
    const signature = 'note: The signature was not verified: the gateway does that.';
    const file = withAuthn();
    expect(await notesOf({ sub: 'me', exp, iss: 'https://a.example', aud: ['other', 'tools'] }, file)).toEqual([
      signature,
    ]);
    expect(await notesOf({ sub: 'me', exp, iss: 'https://b.example' }, file)).toEqual([
      signature,
      'note: The issuer (iss) is "https://b.example", and the gateway accepts "https://a.example": it answers 401.',
      'note: The audience (aud) is missing, and the gateway accepts "tools": it answers 401.',
    ]);
  });

  it.each([
    ['a file that does not exist', () => '/nowhere/config.json', 3, /cannot be read: ENOENT/],
    ['one without authentication', () => configFile({ type: 'sse', host: '::', port: 1 }), 2, /has no listener\.authn/],
    ['one with a mistake', () => configFile({ type: 'sse', host: '::', port: 0, auth: {} }), 2, /listener.*auth/],
  ])('is refused with the reason: %s', async (_, file, code, message) => {
    const run = await explain(world, `--token=${tokenOf({ sub: 'me' })}`, `--config=${file()}`);
    expect({ code: run.code, stderr: run.stderr }).toEqual({ code, stderr: expect.stringMatching(message) });
  });
});
