import { writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, request } from 'node:http';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { PassThrough } from 'node:stream';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startGateway } from '../../src/gateway/gateway.ts';
import type { GatewayOptions, RunningGateway } from '../../src/gateway/model.ts';
import { listen } from '../../src/net/listener/http-listener.ts';
import { createRecordedLog, type RecordedLog } from '../support/edges/recorded-log.ts';
import { systemClock } from '../support/edges/system-clock.ts';
import { type RawTarget, startRawTarget } from '../support/gateway/raw-target.ts';
import { type ScriptedAds, type ScriptedStream, startScriptedAds } from '../support/nodes/scripted-ads.ts';
import { guideConfig, guideJwk, guideToken } from '../support/processes/guide.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { config, configType, target, targetType } from './xds/resources.ts';

let ads: ScriptedAds;
let tool: RawTarget;
let log: RecordedLog;
let stdin: PassThrough;
let stdout: PassThrough;
let folder: string;
const running: RunningGateway[] = [];

beforeEach(async () => {
  ads = await startScriptedAds();
  tool = await startRawTarget(({ method }) =>
    method === 'tools/list'
      ? { result: { tools: [{ name: 'convert_to_markdown', inputSchema: { type: 'object' } }] } }
      : { result: { content: [{ type: 'text', text: '# Markdown' }] } },
  );
  log = createRecordedLog();
  [stdin, stdout] = [new PassThrough(), new PassThrough()];
  folder = temporaryFolder();
  writeFileSync(join(folder, 'jwks.json'), JSON.stringify(guideJwk));
});
afterEach(async () => {
  for (const gateway of running.splice(0)) await gateway.stop();
  ads.stop();
  await tool[Symbol.asyncDispose]();
});

async function start(listener: object = {}, change: Partial<GatewayOptions> = {}): Promise<RunningGateway> {
  const here = { ...guideConfig.listener, host: '127.0.0.1', port: 0, ...listener };
  writeFileSync(join(folder, 'config.json'), JSON.stringify({ ...guideConfig, listener: here }));
  const { port } = tool.target('');
  const gateway = await startGateway(
    {
      file: '/config/config.json',
      mount: [`/config=${folder}`],
      resolve: [
        `kgateway.kgateway-system.svc.cluster.local:9977=127.0.0.1:${ads.port}`,
        `mcp-tool.default.svc.cluster.local:8080=127.0.0.1:${port}`,
      ],
      list: 'all',
      adminListen: '127.0.0.1:0',
      allowedOrigins: [],
      allowedHosts: [],
      environment: { POD_NAMESPACE: 'default', GW_NAME: 'mcp-gateway' },
      ...change,
    },
    { clock: systemClock, random: () => 0, log, losses: { lostLines: 0 }, stdin, stdout },
  );
  running.push(gateway);
  return gateway;
}

const urlOf = ({ listener }: RunningGateway, path: string): URL => new URL(path, `http://127.0.0.1:${listener?.port}`);
const adminOf = ({ admin }: RunningGateway, path: string): string => `http://127.0.0.1:${admin.port}${path}`;

async function connect(gateway: RunningGateway): Promise<Client> {
  const client = new Client({ name: 'test', version: '0' });
  const requestInit = { headers: { authorization: `Bearer ${guideToken}` } };
  await client.connect(new StreamableHTTPClientTransport(urlOf(gateway, '/mcp'), { requestInit }));
  return client;
}

/** A control plane that has responded to both subscriptions, with the guide's target and no policy. */
async function served(): Promise<ScriptedStream> {
  const stream = await ads.stream();
  await stream.request();
  await stream.request();
  stream.send({
    typeUrl: targetType,
    nonce: 't1',
    resources: [target('default/mcp-tool', { host: 'mcp-tool.default.svc.cluster.local', path: '/mcp' })],
  });
  await stream.request();
  stream.send({ typeUrl: configType, nonce: 'c1' });
  await stream.request();
  return stream;
}

const call = { name: 'default/mcp-tool:convert_to_markdown', arguments: {} };

describe("the guide's story", () => {
  it('a call is denied, then allowed by a policy in the same session, then denied when the policy is removed', async () => {
    const gateway = await start();
    const control = await served();
    const client = await connect(gateway);
    expect((await client.listTools()).tools.map(({ name }) => name)).toEqual([call.name]);
    await expect(client.callTool(call)).rejects.toThrow('not allowed');

    control.send({
      typeUrl: configType,
      nonce: 'c2',
      resources: [config('default.auth', [{ resource: { id: call.name, type: 0 } }])],
    });
    await control.request();
    expect(await client.callTool(call)).toMatchObject({ content: [{ type: 'text', text: '# Markdown' }] });

    control.send({ typeUrl: configType, nonce: 'c3', removedResources: ['default.auth'] });
    await control.request();
    await expect(client.callTool(call)).rejects.toThrow('not allowed');
    expect(tool.received.some(({ headers }) => headers.authorization !== undefined)).toBe(false);
    await client.close();
  });

  it('works while the control plane cannot be reached', async () => {
    const gateway = await start();
    const control = await served();
    control.send({
      typeUrl: configType,
      nonce: 'c2',
      resources: [config('default.auth', [{ resource: { id: '*', type: 0 } }])],
    });
    await control.request();
    ads.stop();
    await log.line('no connection to the control plane');
    const client = await connect(gateway);
    expect(await client.callTool(call)).toMatchObject({ content: [{ text: '# Markdown' }] });
    await client.close();
  });

  it('is logged with its listeners and its connection, and without secrets', async () => {
    const gateway = await start();
    await served();
    const client = await connect(gateway);
    await client.close();
    const messages = log.lines.map(({ message }) => message);
    expect(messages).toEqual(
      expect.arrayContaining([
        `listening on http://127.0.0.1:${gateway.listener?.port} for MCP clients`,
        `listening on http://127.0.0.1:${gateway.admin.port} for admin pages`,
        'connected to the control plane',
        'acknowledged Target',
        'acknowledged Config',
      ]),
    );
    expect(log.lines.filter(({ level }) => level === 'warn' || level === 'error')).toEqual([]);
    expect(log.text()).toContain('Copilot CLI refuse lists with names like <target>:<name>: use --names portable');
    for (const part of guideToken.split('.')) expect(log.text()).not.toContain(part);
  });
});

describe('an anonymous client', () => {
  const post = (gateway: RunningGateway, headers: Record<string, string> = {}): Promise<Response> =>
    fetch(urlOf(gateway, '/mcp'), {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: '{}',
    });

  it('gets 401 with a challenge, on both paths', async () => {
    const gateway = await start();
    for (const answer of [await post(gateway), await fetch(urlOf(gateway, '/sse'))]) {
      expect([answer.status, answer.headers.get('www-authenticate')]).toEqual([401, 'Bearer realm="mcp-gateway"']);
    }
    const wrong = await post(gateway, { authorization: 'Bearer x.y.z' });
    expect(wrong.headers.get('www-authenticate')).toContain('error="invalid_token"');
  });

  it('is one that sends two tokens, so that it does not matter which of them is read', async () => {
    const gateway = await start();
    const asking = request(urlOf(gateway, '/sse'));
    asking.setHeader('authorization', [`Bearer ${guideToken}`, 'Bearer other']);
    const { promise, resolve } = Promise.withResolvers<IncomingMessage>();
    asking.once('response', resolve).end();
    const { statusCode, headers } = await promise;
    expect([statusCode, headers['www-authenticate']]).toEqual([401, expect.stringContaining('invalid_token')]);
    asking.destroy();
  });

  it('is every client without authn, even with a token and a policy for its subject, and a warning says so', async () => {
    const gateway = await start({ authn: undefined });
    const control = await served();
    control.send({ typeUrl: configType, nonce: 'c2', resources: [config('default.auth')] });
    await control.request();
    const client = await connect(gateway);
    await expect(client.callTool(call)).rejects.toThrow('not allowed');
    await client.close();
    expect(log.lines.find(({ level }) => level === 'warn')?.message).toBe(
      'every call will be denied: listener.authn is absent, so no token is looked at, and nobody without a verified token may do anything',
    );
  });

  it('is one on stdio, and the gateway stops at the end of its input', async () => {
    const gateway = await start(
      {},
      { file: undefined, config: JSON.stringify({ ...guideConfig, listener: { type: 'stdio' } }) },
    );
    expect(gateway.listener).toBeUndefined();
    expect(log.lines.find(({ level }) => level === 'warn')?.message).toContain(
      'every call will be denied: a client on stdio has no token',
    );
    const control = await served();
    control.send({ typeUrl: configType, nonce: 'c2', resources: [config('default.auth')] });
    await control.request();
    const answers = createInterface({ input: stdout })[Symbol.asyncIterator]();
    const ask = async (id: number, method: string, params: object): Promise<unknown> => {
      stdin.write(`${JSON.stringify({ jsonrpc: '2.0', id, method, params })}\n`);
      return JSON.parse((await answers.next()).value ?? '');
    };
    const clientInfo = { name: 'test', version: '0' };
    expect(await ask(1, 'initialize', { protocolVersion: '2025-06-18', capabilities: {}, clientInfo })).toMatchObject({
      id: 1,
      result: {},
    });
    stdin.write(`${JSON.stringify({ jsonrpc: '2.0', method: 'notifications/initialized' })}\n`);
    expect(await ask(2, 'tools/call', call)).toMatchObject({
      id: 2,
      error: { message: expect.stringContaining('not allowed') },
    });
    stdin.end();
    await gateway.ended;
    expect(gateway.status().connection).toEqual({ state: 'stopped' });
  });
});

const host = 'mcp-tool.default.svc.cluster.local';
const mcpTool = { name: 'default/mcp-tool', host, port: 8080, path: '/mcp', url: `http://${host}:8080/mcp` };

describe('the admin pages', () => {
  it('show what is in force and the state of the connection to the control plane', async () => {
    const gateway = await start();
    const control = await served();
    control.send({
      typeUrl: configType,
      nonce: 'c2',
      systemVersionInfo: 'v7',
      resources: [config('default.b'), config('default.a')],
    });
    await control.request();
    const read = async (path: string): Promise<unknown> => (await fetch(adminOf(gateway, path))).json();
    const controlPlane = {
      address: 'kgateway.kgateway-system.svc.cluster.local:9977',
      connection: { state: 'connected' },
      kinds: [
        { kind: 'Target', held: 1, ackedNonce: 't1' },
        { kind: 'Config', held: 2, ackedNonce: 'c2', ackedVersion: 'v7' },
      ],
    };
    expect(await read('/targets')).toMatchObject({
      targets: [{ ...mcpTool, state: 'never connected' }],
      controlPlane,
    });
    const rules = [{ key: 'sub', value: 'me', matcher: 'EQUALS', resource: { id: '*', type: 'TOOL' } }];
    expect(await read('/rbac')).toMatchObject({
      configs: [
        { name: 'default.a', rules },
        { name: 'default.b', rules },
      ],
      controlPlane,
    });
    expect(await read('/listeners')).toMatchObject({
      listeners: [
        {
          type: 'sse',
          address: `http://127.0.0.1:${gateway.listener?.port}`,
          authn: { issuers: ['me'], audiences: ['me.com'], source: join(folder, 'jwks.json'), keys: [guideJwk.kid] },
        },
      ],
      controlPlane,
    });
  });

  it('are six, and read-only', async () => {
    const gateway = await start();
    const other = await fetch(adminOf(gateway, '/'));
    expect([other.status, await other.text()]).toEqual([
      404,
      'There is nothing here; there is /targets, /rbac, /listeners, /metrics, /healthz, /readyz.\n',
    ]);
    const posted = await fetch(adminOf(gateway, '/rbac?x'), { method: 'POST' });
    expect([posted.status, posted.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
    const head = await fetch(adminOf(gateway, '/rbac'), { method: 'HEAD' });
    expect([head.status, await head.text()]).toEqual([200, '']);
  });

  it('/metrics has every counter of the gateway, and /healthz succeeds', async () => {
    const gateway = await start();
    const metrics = await fetch(adminOf(gateway, '/metrics'));
    expect(metrics.headers.get('content-type')).toContain('text/plain');
    const names = Array.from(
      (await metrics.text()).matchAll(/^# TYPE (gatehouse_gateway_\w+) counter/gm),
      ([, name]) => name,
    );
    expect(names).toContain('gatehouse_gateway_connections_lost_total');
    expect(names).toContain('gatehouse_gateway_event_streams_cut_total');
    const health = await fetch(adminOf(gateway, '/healthz'));
    expect([health.status, await health.text()]).toEqual([200, 'ok\n']);
  });
});

it.each(['127.0.0.1:0', '127.1:0', '0x7f.1:0'])(
  'the admin pages at %s answer no foreign host name',
  async (adminListen) => {
    const { admin } = await start({}, { adminListen });
    const status = new Promise((resolve) => {
      request({ ...admin, path: '/rbac', headers: { host: 'rebound.example' } }, (response) => {
        response.resume();
        resolve(response.statusCode);
      }).end();
    });
    expect(await status).toBe(403);
  },
);

it('admin pages that other machines reach are warned of', async () => {
  await start({}, { adminListen: '0.0.0.0:0' });
  expect(log.text()).toContain('the admin pages show targets and rules to whoever reaches them');
});

it.each(['127.0.0.1', '127.1', '0x7f.1'])('a listener at %s answers no foreign host name', async (host) => {
  const { listener } = await start({ host });
  const status = new Promise((resolve) => {
    request({ ...listener, path: '/mcp', method: 'POST', headers: { host: 'rebound.example' } }, (response) => {
      response.resume();
      resolve(response.statusCode);
    }).end();
  });
  expect(await status).toBe(403);
});

describe('starting', () => {
  it('fails when a port is in use, and stops what was started', async () => {
    const other = createServer();
    const { port } = await listen(other, { host: '127.0.0.1', port: 0 }, 'a test');
    try {
      await expect(start({ port })).rejects.toMatchObject({
        reason: 'environment',
        message: `cannot listen on 127.0.0.1:${port} for MCP clients (listener.port of the configuration): the port is in use; stop the other program or choose another port`,
      });
      await expect(start({}, { adminListen: `127.0.0.1:${port}` })).rejects.toThrow(
        'for the admin page (--admin-listen): the port is in use',
      );
      const opened = log.lines
        .find(({ message }) => message.includes('for MCP clients'))
        ?.message.match(/http:\S+/)?.[0];
      await expect(fetch(`${opened}/mcp`)).rejects.toThrow('fetch failed');
      expect(log.text()).not.toContain('control plane');
    } finally {
      other.close();
    }
  });

  it.each<[string, Partial<GatewayOptions>]>([
    ['--admin-listen=19000: write host:port, such as 127.0.0.1:19000', { adminListen: '19000' }],
    [
      'allowed origin "https://a/": write it as browsers do, in lower case and without a path, such as https://app.example or chrome-extension://<id>',
      { allowedOrigins: ['https://a/'] },
    ],
    ['--resolve=x: write host:port=address:port, IPv6 addresses in brackets', { resolve: ['x'] }],
    ['--mount=x: write /path=<folder>, the path beginning with a slash', { mount: ['x'] }],
    [
      'give the configuration with --file=<path or URL> or with --config=<JSON>, exactly one of the two',
      { config: '{}' },
    ],
  ])('fails with %s', async (message, change) => {
    await expect(start({}, change)).rejects.toMatchObject({ reason: 'usage', message });
  });

  it('warns when nothing identifies the Gateway', async () => {
    const { alt_xds_hostname: _, ...rest } = guideConfig;
    const config = JSON.stringify({ ...rest, listener: { type: 'stdio' } });
    await start({}, { file: undefined, config, environment: { GW_NAME: 'x' } });
    expect(log.text()).toContain(
      'set alt_xds_hostname in the configuration, or POD_NAMESPACE and GW_NAME in the environment',
    );
  });
});

describe('stopping', () => {
  it('ends open streams, listeners and the connection to the control plane, also when called twice', async () => {
    const gateway = await start();
    await served();
    const stream = await fetch(urlOf(gateway, '/sse'), { headers: { authorization: `Bearer ${guideToken}` } });
    const text = stream.text();
    await Promise.all([gateway.stop(), gateway.stop()]);
    await gateway.ended;
    expect(await text).toContain('event: endpoint');
    await expect(fetch(urlOf(gateway, '/mcp'))).rejects.toThrow('fetch failed');
    await expect(fetch(adminOf(gateway, '/rbac'))).rejects.toThrow('fetch failed');
    expect(gateway.status().connection).toEqual({ state: 'stopped' });
  });
});
