import { describe, expect, it } from 'vitest';
import { cli } from '../../support/processes/terminal.ts';
import { explain, world } from '../offline/explain-rig.ts';
import { closedAddress, stubServer } from './stub-server.ts';

/** What the offline command answers: the document of the endpoint is the same one. */
async function document(...args: readonly string[]): Promise<object> {
  return JSON.parse((await explain(world, '-o', 'json', ...args)).stdout) as object;
}

const questions: readonly (readonly string[])[] = [
  ['--tool=default/tool:run', '--claims={"sub":"me"}'],
  ['--tool=default/tool:run', '--claims={"sub":"you"}'],
  ['--claims={"sub":"me"}'],
  ['--tool=default/tool:run'],
  [],
];

describe('explain --server', () => {
  it.each(questions.map((args) => ({ args })))(
    'writes what the server answers, as from files: $args',
    async ({ args }) => {
      const { address } = await stubServer({ body: await document(...args) });
      const offline = await explain(world, ...args);
      expect(await cli(['explain', `--server=${address}`, ...args])).toEqual(offline);
      expect(JSON.parse((await cli(['explain', `--server=${address}`, '-o', 'json', ...args])).stdout)).toEqual(
        await document(...args),
      );
    },
  );

  it('sends the claims of a token, and never the token', async () => {
    const payload = Buffer.from('{"sub":"me"}').toString('base64url');
    const { address, asked } = await stubServer({ body: await document('--tool=default/tool:run') });
    await cli([
      'explain',
      `--server=http://${address}/`,
      '--gateway=gw',
      '--tool=a/b:c',
      `--token=aaaa.${payload}.cccc`,
    ]);
    expect(asked).toHaveLength(1);
    expect(asked[0]).toMatchObject({ method: 'POST', path: '/debug/explain', type: 'application/json' });
    expect(JSON.parse(asked[0]?.body ?? '')).toEqual({
      gateway: 'gw',
      request: { kind: 'tool', name: 'a/b:c' },
      claims: { sub: 'me' },
    });
  });

  it('shows what the server says about its input', async () => {
    const body = { ...(await document('--claims={}')), notes: ['The input has an error.'] };
    const { address } = await stubServer({ body });
    expect((await cli(['explain', `--server=${address}`, '--claims={}'])).stdout).toMatch(
      /^note: The input has an error\.\n/,
    );
  });

  it('passes on why a question has no answer', async () => {
    const { address } = await stubServer({ status: 400, body: { error: 'say which of the 2 Gateways is called.' } });
    expect(await cli(['explain', `--server=${address}`])).toEqual({
      code: 2,
      stdout: '',
      stderr: 'gatehouse: say which of the 2 Gateways is called.\n',
    });
  });
});

describe('a hostile server', () => {
  it('moves no cursor of a terminal', async () => {
    const hostile = '\u001b[2J\u001b]0;title\u0007\u202e';
    const answered = {
      ...(await document('--claims={}', '--tool=default/tool:run')),
      gateway: `default/${hostile}`,
      reasons: [{ code: 'no-rule', at: { kind: 'Gateway', key: hostile, path: [] }, place: hostile, message: hostile }],
      notes: [hostile],
    };
    const { address } = await stubServer({ body: answered });
    const { stdout } = await cli(['explain', `--server=${address}`, '--claims={}', '--tool=default/tool:run']);
    expect(stdout).toContain('note: �[2J�]0;title��\n');
    expect(stdout).not.toMatch(/(?!\n)[\p{Cc}\p{Cf}]/u);
    const refusing = await stubServer({ status: 400, body: { error: `no${hostile}` } });
    const refused = await cli(['explain', `--server=${refusing.address}`, '--claims={}']);
    expect(refused).toMatchObject({ code: 2, stderr: 'gatehouse: no�[2J�]0;title��\n' });
  });

  it('has no answer parsed with more structure than an answer has', async () => {
    const { address } = await stubServer({ body: `{"version":1,"notes":${'['.repeat(101)}${']'.repeat(101)}}` });
    expect((await cli(['explain', `--server=${address}`, '--claims={}'])).stderr).toContain(
      'the document is no object',
    );
  });
});

describe('a server that cannot answer', () => {
  it.each([
    [
      'is older',
      404,
      'nothing here; try /, /snapshots/xds, /snapshots/graph\n',
      /has no \/debug\/explain: it is another port/,
    ],
    ['is newer', 200, { version: 2 }, /version 2 of the document, and this program knows 1/],
    [
      'is a web page',
      200,
      '<!doctype html>',
      /is not the debug listener of a control plane \(the document is no object\)/,
    ],
    ['is another JSON service', 200, { ok: true }, /is not the debug listener .*\(version is no number\)/],
    ['sends half a document', 200, { version: 1, gateway: 'a/b', verdict: 'denied' }, /\(reasons is no list\)/],
    [
      'sends an unknown reason',
      200,
      { version: 1, gateway: 'a/b', verdict: 'denied', omitted: 0, reasons: [{ code: 'x' }] },
      /reasons\[0\]\.code is none of/,
    ],
    ['is not found', 404, '<html>', /refuses with HTTP 404\. The address is that of --debug-listen/],
    ['refuses the host', 403, { error: 'only for loopback' }, /refuses with HTTP 403: only for loopback/],
  ])('is told from others: it %s', async (_, status, body, message) => {
    const { address } = await stubServer({ status, body });
    const { code, stdout, stderr } = await cli(['explain', `--server=${address}`]);
    expect({ code, stdout }).toEqual({ code: 3, stdout: '' });
    expect(stderr).toMatch(message);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
  });

  it('is named when nothing listens there', async () => {
    const closed = await closedAddress();
    const { code, stderr } = await cli(['explain', `--server=${closed}`]);
    expect({ code, stderr }).toEqual({
      code: 3,
      stderr: `gatehouse: no control plane answers at http://${closed}/debug/explain: nothing listens there. Start gatehouse serve, or name its debug listener with --server.\n`,
    });
  });

  it.each(['nowhere', 'https://127.0.0.1:9097', '127.0.0.1:0', '127.0.0.1:9097/debug'])(
    'has an address in the right form: %s',
    async (server) => {
      const { code, stderr } = await cli(['explain', `--server=${server}`]);
      expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringMatching(/<host>:<port>, for example 127/) });
    },
  );
});
