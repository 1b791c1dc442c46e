import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
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
      'allowed: the tool "default/tool:run" on Gateway default/gw',
    ]);
  });

  it('is read from standard input', async () => {
    const file = join(temporaryFolder(), 'world.yaml');
    writeFileSync(file, world);
    const token = `${tokenOf({ sub: 'me' })}\n`;
    const { stdout } = await cli(
      ['explain', '-f', file, '--token', '-', '--tool=default/tool:run'],
      {},
      { input: token },
    );
    expect(stdout).toContain('claims: {"sub":"me"}');
    expect(stdout).toContain('allowed: ');
  });

  it.each([
    ['--token=secret', /--token is no JWT/],
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
