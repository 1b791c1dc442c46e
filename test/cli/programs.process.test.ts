import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { portOf } from '../support/gateway/gateway-rig.ts';
import { GatewayNode } from '../support/nodes/gateway-node.ts';
import { type GatehouseProcess, gatehouse } from '../support/processes/gatehouse-process.ts';
import { guideJwk } from '../support/processes/guide.ts';
import { listens } from '../support/processes/guide-programs.ts';
import { mcpService, openGateway, together } from '../support/worlds/manifests.ts';

let folder: string;
const taken = createServer();
let takenPort: number;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gatehouse-cli-'));
  await writeFile(join(folder, 'world.yaml'), together(openGateway, mcpService('default/tool')));
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
  takenPort = portOf(taken.address());
});
afterAll(async () => {
  await new Promise((resolve) => taken.close(resolve));
  await rm(folder, { recursive: true });
});

const config = (xdsAddress = 'http://127.0.0.1:1', listener: object = {}): string =>
  JSON.stringify({
    type: 'xds',
    xds_address: xdsAddress,
    alt_xds_hostname: 'gw.default',
    listener: { type: 'sse', host: '127.0.0.1', port: 0, ...listener },
  });
const freeAdmin = '--admin-listen=127.0.0.1:0';

/** Arguments and listeners of each program. */
const programs: readonly (readonly [string, () => readonly string[], readonly string[]])[] = [
  ['serve', () => ['-f', folder, ...listens()], ['xds', 'debug', 'metrics', 'admin']],
  ['gateway', () => [`--config=${config()}`, freeAdmin], ['mcp', 'admin']],
  ['mcp-tool', () => ['--port=0'], ['mcp']],
];

const logLines = ({ stderr }: GatehouseProcess): readonly { readonly level: string; readonly message: string }[] =>
  stderr()
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));

describe.each(programs)('gatehouse %s', (command, args, listeners) => {
  it.each(['SIGTERM', 'SIGINT'] as const)(
    'logs its bound addresses, and stops cleanly with %s',
    { timeout: 30_000 },
    async (signal) => {
      await using program = gatehouse([command, ...args()]);
      for (const listener of listeners) {
        const address = await program.listening(listener);
        expect(address).toMatch(/^127\.0\.0\.1:[1-9]\d*$/);
        await expect(fetch(`http://${address}/`).catch((error: Error) => error.cause)).resolves.not.toMatchObject({
          code: 'ECONNREFUSED',
        });
      }
      program.signal(signal);
      expect(await program.ended()).toEqual({ code: 0, signal: null });
      expect(program.stdout()).toBe('');
      // The warning about HTTP/1 at a port of HTTP/2 may come after `stopping`.
      const said = logLines(program).filter(({ level }) => level === 'info');
      // The last listener is open a moment before the start is complete.
      expect(
        said
          .map(({ message }) => message)
          .slice(-2)
          .join(),
      ).toMatch(/^(stopping,stopped|listening,stopped before the start was complete)$/);
    },
  );

  it('logs text without colours when standard error is no terminal', { timeout: 30_000 }, async () => {
    await using program = gatehouse([command, ...args()], { GATEHOUSE_LOG_FORMAT: 'text' });
    await program.line('listening');
    program.signal('SIGTERM');
    await program.ended();
    expect(program.stderr()).toMatch(/^\d\d:\d\d:\d\d\.\d{3} info +listening.* listener=/m);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: colours begin with this character.
    expect(program.stderr()).not.toMatch(/\u001b/);
  });
});

describe('the control plane', () => {
  it('ends the streams of its nodes with UNAVAILABLE before it stops', { timeout: 30_000 }, async () => {
    await using program = gatehouse(['serve', '-f', folder, ...listens(), '--shutdown-grace=1s']);
    const node = new GatewayNode(await program.listening('xds'), 'default/gw');
    await program.line('synced');
    expect(await node.connect().settled()).toMatchObject({ targets: { 'default/tool': '10.0.0.1:80' } });
    program.signal('SIGTERM');
    expect(await node.ended()).toMatchObject({ code: 'UNAVAILABLE', message: 'the control plane is shutting down' });
    expect(await program.ended()).toEqual({ code: 0, signal: null });
    await node.close();
  });

  it('reads its flags from the environment', { timeout: 30_000 }, async () => {
    const environment = {
      GATEHOUSE_FILENAME: folder,
      GATEHOUSE_XDS_LISTEN: '127.0.0.1:0',
      GATEHOUSE_DEBUG_LISTEN: '127.0.0.1:0',
      GATEHOUSE_METRICS_LISTEN: '127.0.0.1:0',
      GATEHOUSE_ADMIN_LISTEN: '127.0.0.1:0',
      GATEHOUSE_CLUSTER_DOMAIN: 'example.org',
    };
    await using program = gatehouse(['serve'], environment);
    const node = new GatewayNode(await program.listening('xds'), 'default/gw', {
      headers: { 'x-alt-xds-hostname': 'gw.default.svc.example.org' },
    });
    await program.line('synced');
    expect(await node.connect().settled()).toMatchObject({ targets: { 'default/tool': '10.0.0.1:80' } });
    await node.close();
  });
});

describe('a port in use', () => {
  const at = (): string => `127.0.0.1:${takenPort}`;

  it.each<[string, () => readonly string[]]>([
    ['--xds-listen', () => ['serve', '-f', folder, ...listens({ xds: takenPort })]],
    ['--debug-listen', () => ['serve', '-f', folder, ...listens({ debug: takenPort })]],
    ['--metrics-listen', () => ['serve', '-f', folder, ...listens({ metrics: takenPort })]],
    ['--admin-listen', () => ['serve', '-f', folder, ...listens({ admin: takenPort })]],
    [
      'listener.port of the configuration',
      () => ['gateway', `--config=${config(undefined, { port: takenPort })}`, freeAdmin],
    ],
    ['--admin-listen', () => ['gateway', `--config=${config()}`, `--admin-listen=${at()}`]],
    ['--port', () => ['mcp-tool', `--port=${takenPort}`]],
  ])('of %s ends the program with a message that names it', { timeout: 30_000 }, async (flag, args) => {
    await using program = gatehouse(args());
    expect(await program.ended()).toEqual({ code: 3, signal: null });
    const said = program
      .stderr()
      .split('\n')
      .filter((line) => line.startsWith('gatehouse: '));
    expect(said).toEqual([expect.stringContaining(`cannot listen on ${at()}`)]);
    expect(said[0]).toContain('the port is in use');
    expect(said[0]).toContain(flag);
    expect(program.stderr()).not.toMatch(/^ +at /m);
    expect(program.stdout()).toBe('');
  });
});

describe('a gateway', () => {
  it('without authn warns that every call will be denied', { timeout: 30_000 }, async () => {
    await using program = gatehouse(['gateway', `--config=${config()}`, freeAdmin]);
    expect(await program.line('every call will be denied')).toContain('listener.authn is absent');
  });

  it.each(['http://127.0.0.1:1', 'http://nowhere.invalid:9977'])(
    'that cannot reach %s logs it, listens all the same, and stops on SIGTERM',
    { timeout: 30_000 },
    async (address) => {
      await using program = gatehouse(['gateway', `--config=${config(address)}`, freeAdmin]);
      expect(await program.line('no connection to the control plane')).toContain(address.replace('http://', ''));
      const { status } = await fetch(`http://${await program.listening('mcp')}/mcp`, { method: 'DELETE' });
      expect(status).toBeGreaterThanOrEqual(400);
      program.signal('SIGTERM');
      expect(await program.ended()).toEqual({ code: 0, signal: null });
    },
  );

  it('reads its configuration from a pipe, and stops while nobody writes it', { timeout: 30_000 }, async () => {
    const pipe = join(folder, 'config.pipe');
    execFileSync('mkfifo', [pipe]);
    const args = ['gateway', `--file=${pipe}`, freeAdmin];
    await using reader = gatehouse(args);
    await writeFile(pipe, config());
    expect(await reader.listening('mcp')).toMatch(/^127/);
    await using waiting = gatehouse([...args, '--log-level=debug']);
    await waiting.line('reading the configuration');
    waiting.signal('SIGTERM');
    expect(await waiting.ended()).toEqual({ code: 0, signal: null });
  });

  it('refuses a JWKS with a private key, and does not print the key', { timeout: 30_000 }, async () => {
    const data = JSON.stringify({ ...guideJwk, d: 'c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlYw' });
    const authn = { type: 'jwt', jwks: { type: 'local', source: { type: 'inline', data } } };
    await using program = gatehouse(['gateway', `--config=${config(undefined, { authn })}`, freeAdmin]);
    expect(await program.ended()).toEqual({ code: 2, signal: null });
    expect(program.stderr()).toMatch(
      /^gatehouse: .*listener\.authn\.jwks.* holds a private key .*put only the public key here/m,
    );
    expect(program.stderr()).not.toContain('c2VjcmV0');
  });
});
