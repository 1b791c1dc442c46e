import { EventEmitter } from 'node:events';
import { PassThrough, Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { runCli } from '../../../src/cli/cli.ts';
import { formatHostPort } from '../../../src/net/host-port.ts';
import { createAdsClient } from '../../support/nodes/ads-client.ts';
import { cli } from '../../support/processes/terminal.ts';
import { targetType } from '../../support/worlds/hand-made-world.ts';
import { startWorld } from '../../support/worlds/running-world.ts';
import { nodeOf } from '../../support/worlds/served-world.ts';
import { world } from '../offline/explain-rig.ts';
import { stubServer } from './stub-server.ts';

const version = (digit: string): string => digit.repeat(32);

const inSync = {
  typeUrl: 'type.googleapis.com/a.b.Config',
  known: true,
  state: 'in-sync',
  current: version('1'),
  sent: { version: version('1'), at: '2026-01-01T10:00:00.000Z' },
  acked: { version: version('1'), at: '2026-01-01T10:00:00.000Z' },
  lagSeconds: 0,
  rejection: null,
  counts: {},
};
const refused = {
  ...inSync,
  typeUrl: 'type.googleapis.com/a.b.Target',
  state: 'refusing',
  sent: { version: version('2'), at: '2026-01-01T10:00:50.000Z' },
  lagSeconds: 10,
  rejection: {
    message: 'no such\nhost',
    at: '2026-01-01T10:00:55.000Z',
    diagnostics: [{ resource: 'default/tool', severity: 'error', message: 'bad' }],
  },
};
const node = {
  id: 'mcpgw~a',
  gateway: 'default/gw',
  gatewayExists: true,
  dialect: 'mcp.kgateway.dev',
  variant: 'delta',
  peer: '10.0.0.7:5000',
  identifiedBy: 'metadata.role',
  connectedSince: '2026-01-01T09:58:00.000Z',
  state: 'refusing',
  types: [inSync, refused],
};
const document = { version: 1, time: '2026-01-01T10:01:00.000Z', total: 1, nodes: [node] };

describe('nodes', () => {
  it('shows each type of each node, and refusals in the words of the node', async () => {
    const { address, asked } = await stubServer({ body: document });
    expect(await cli(['nodes', `--server=${address}`, '--gateway=gw'])).toEqual({
      code: 0,
      stderr: '',
      stdout: `GATEWAY     NODE     DIALECT           VARIANT  CONNECTED  TYPE    SENT      ACKED     LAG  STATE
default/gw  mcpgw~a  mcp.kgateway.dev  delta    3m0s       Config  11111111  11111111  0s   in-sync
                                                           Target  22222222  11111111  10s  refusing
refused: default/gw mcpgw~a refused Target 5.0s ago: no such�host
  error in default/tool: bad
1 node: 0 in sync, 0 behind, 1 refusing
`,
    });
    expect(asked[0]?.path).toBe('/debug/nodes?gateway=default%2Fgw&limit=1000&offset=0');
  });

  it('shows whole versions, type URLs, peers and identification when there is room', async () => {
    const { address } = await stubServer({ body: document });
    const { stdout } = await cli(['nodes', `--server=${address}`, '-o', 'wide']);
    for (const text of [version('2'), 'type.googleapis.com/a.b.Target', '10.0.0.7:5000', 'metadata.role'])
      expect(stdout).toContain(text);
  });

  it('writes a document of stable form', async () => {
    const { address } = await stubServer({ body: document });
    const shown: unknown = JSON.parse((await cli(['nodes', `--server=${address}`, '-o', 'json'])).stdout);
    const { counts: _, ...type } = inSync;
    expect(shown).toMatchObject({ ...document, nodes: [{ ...node, types: [type, {}] }] });
  });

  it('says that there is none, and which Gateway does not exist', async () => {
    const none = await stubServer({ body: { ...document, total: 0, nodes: [] } });
    expect((await cli(['nodes', `--server=${none.address}`])).stdout).toBe('no node is connected\n');
    const lost = { ...node, gatewayExists: false, id: '', dialect: null, types: [] };
    const { address } = await stubServer({ body: { ...document, nodes: [lost] } });
    expect((await cli(['nodes', `--server=${address}`])).stdout).toMatch(
      /^default\/gw \(no such Gateway\) {2}10\.0\.0\.7:5000 {2}- .*asks for nothing$/m,
    );
  });

  it('colours on a terminal only, unless NO_COLOR is set', async () => {
    const { address } = await stubServer({ body: document });
    const args = ['nodes', `--server=${address}`];
    expect((await cli(args, {}, { isTTY: true })).stdout).toContain('\u001b[31mrefusing');
    expect((await cli(args, { NO_COLOR: '1' }, { isTTY: true })).stdout).toBe((await cli(args)).stdout);
  });

  it('asks for further pages', async () => {
    const { address, asked } = await stubServer({ body: { ...document, total: 3 } });
    await cli(['nodes', `--server=${address}`]);
    expect(asked.map(({ path }) => /offset=(\d+)/.exec(path)?.[1])).toEqual(['0', '1', '2']);
  });

  it.each([
    [['--gateway=a/b/c'], 2, /--gateway is <namespace>\/<name>/],
    [['-o', 'yaml'], 2, /--output is one of text, wide, json/],
  ])('says what to write instead of %j', async (args, code, message) => {
    const run = await cli(['nodes', ...args]);
    expect({ code: run.code, stderr: run.stderr }).toEqual({ code, stderr: expect.stringMatching(message) });
  });

  it('of an older server is an error that says so', async () => {
    const { address } = await stubServer({ status: 404, body: 'nothing here; try /, /snapshots/xds\n' });
    const { code, stderr } = await cli(['nodes', `--server=${address}`]);
    expect({ code, stderr }).toEqual({
      code: 3,
      stderr: expect.stringContaining('has no /debug/nodes: it is another port'),
    });
  });
});

describe('nodes --watch', () => {
  it('redraws in place until a signal arrives, and says that the server is gone', async () => {
    const stub = await stubServer({ body: document });
    const signals = new EventEmitter();
    const stdout = Object.assign(new PassThrough(), { isTTY: true, rows: 4 });
    const run = runCli({
      args: ['nodes', '--watch', `--server=${stub.address}`],
      environment: { NO_COLOR: '1' },
      stdin: Readable.from([]),
      stdout,
      stderr: new PassThrough(),
      signals,
      exit: () => undefined,
    });
    let text = '';
    const shows = async (part: string): Promise<void> => {
      for await (const chunk of stdout.iterator({ destroyOnReturn: false })) {
        text += String(chunk);
        if (text.includes(part)) return;
      }
    };
    await shows('... and 4 more lines');
    expect(text).toContain('\u001b[1;1H\u001b[0J');
    stub.close();
    await shows(
      'nothing listens there. Start gatehouse serve, or name its debug listener with --server. Asking again.',
    );
    signals.emit('SIGINT');
    expect(await run).toBe(0);
  });
});

describe('a running control plane', () => {
  it('answers nodes and explain as this program asks', async () => {
    await using running = await startWorld({ 'a.yaml': world });
    const server = `--server=${formatHostPort(running.app.listening.debug)}`;
    const client = createAdsClient(formatHostPort(running.app.listening.xds));
    const stream = client.open().request(targetType, { node: { ...nodeOf('default/gw'), id: 'a' } });
    await stream.accept();
    await stream.silence();
    const { code, stdout } = await cli(['nodes', server]);
    client.close();
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: expect.stringMatching(/default\/gw +a .* Target +(\w{8}) +\1 +0s +in-sync/),
    });
    const asked = ['--tool=default/tool:run', '--claims={"sub":"you"}'];
    const offline = await cli(['explain', '-f', running.folder, ...asked]);
    expect(await cli(['explain', server, ...asked])).toEqual(offline);
    expect((await cli(['explain', server, '--gateway=nowhere', ...asked])).stdout).toContain(
      'There is no Gateway "default/nowhere".',
    );
  });
});
