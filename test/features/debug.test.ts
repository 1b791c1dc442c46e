import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AdsClient, createAdsClient } from '../support/nodes/ads-client.ts';
import { configType, targetType } from '../support/worlds/hand-made-world.ts';
import { mcpGateway, mcpService, openGateway, policy, together } from '../support/worlds/manifests.ts';
import { type RunningWorld, startWorld } from '../support/worlds/running-world.ts';
import { nodeOf } from '../support/worlds/served-world.ts';

let running: RunningWorld;
let client: AdsClient;

beforeAll(async () => {
  const gateways = together(openGateway, mcpGateway('red/gw', 'from: Same'));
  const others = together(mcpService('default/tool'), policy('default/p', 'gw'), policy('red/lost', 'gone'));
  running = await startWorld({ 'a.yaml': gateways, 'b.yaml': others, 'c.yaml': '"' });
  client = createAdsClient(`127.0.0.1:${running.app.listening.xds.port}`);
});
afterAll(async () => {
  client.close();
  await running[Symbol.asyncDispose]();
});

const view = async (query = ''): Promise<unknown> =>
  JSON.parse((await running.get('debug', `/snapshots/xds${query}`)).body);

/** Sends a request with its own `Host` header, which `fetch` does not allow. */
function statusFor(host: string, method = 'GET', path = '/'): Promise<number | undefined> {
  const { host: address, port } = running.app.listening.debug;
  const { promise, resolve, reject } = Promise.withResolvers<number | undefined>();
  request({ host: address, port, path, method, headers: { host } }, (response) => {
    response.resume();
    resolve(response.statusCode);
  })
    .on('error', reject)
    .end();
  return promise;
}

describe('the debug view', () => {
  it('shows the snapshot and the status of every Gateway, and the problems in the input', async () => {
    const version = expect.stringMatching(/^[0-9a-f]{32}$/);
    expect(await view()).toMatchObject({
      synced: true,
      gateways: [
        {
          gateway: 'default/gw',
          exists: true,
          version,
          types: [
            {
              typeUrl: configType,
              version,
              resources: [
                {
                  name: 'default.p',
                  version,
                  resource: {
                    namespace: 'default',
                    name: 'p',
                    rules: [{ key: 'sub', value: 'me', resource: { id: '*', type: 'TOOL' }, matcher: 'EQUALS' }],
                  },
                },
              ],
            },
            {
              typeUrl: targetType,
              resources: [
                { name: 'default/tool', resource: { name: 'default/tool', host: '10.0.0.1', port: 80, path: '' } },
              ],
            },
          ],
          status: {
            conditions: expect.arrayContaining([expect.objectContaining({ type: 'Accepted', status: 'True' })]),
          },
        },
        { gateway: 'red/gw', types: [{ resources: [] }, { resources: [] }] },
      ],
      policies: [{ name: 'p' }, { name: 'lost', ancestors: [{ conditions: [{ reason: 'TargetNotFound' }] }] }],
      problems: [{ severity: 'error', place: expect.stringMatching(/c\.yaml:1:\d+$/) }],
    });
  });

  it('shows one Gateway, and distinguishes an invalid name from an unknown one', async () => {
    expect(await view('?gateway=red/gw')).toMatchObject({
      gateways: [{ gateway: 'red/gw' }],
      policies: [{ name: 'lost' }],
    });
    expect(await view('?gateway=red/gone')).toMatchObject({ gateways: [{ gateway: 'red/gone', exists: false }] });
    expect(await running.get('debug', '/snapshots/xds?gateway=gw')).toMatchObject({
      status: 400,
      body: expect.stringContaining('<namespace>/<name>'),
    });
    expect((await running.get('debug', '/snapshots/xds?pretty')).body).toMatch(/^\{\n {2}"synced"/);
  });
});

describe('the debug view of nodes', () => {
  const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);

  it('shows the last ACK and the last NACK of each node', async () => {
    const node = { ...nodeOf('default/gw'), id: 'a node' };
    const stream = client.open().request(targetType, { node }).request(configType, { node });
    for (const response of [await stream.next(), await stream.next()]) {
      if (response.typeUrl === targetType) stream.ack(response);
      else stream.nack(response, 'default.p: I do not like it');
    }
    await stream.silence();
    expect(await view('?gateway=default/gw')).toMatchObject({
      gateways: [
        {
          nodes: [
            {
              id: 'a node',
              identifiedBy: 'metadata.role',
              variety: 'delta',
              connectedSince: time,
              synced: false,
              types: [
                {
                  typeUrl: configType,
                  sent: { at: time },
                  rejection: { message: 'default.p: I do not like it', at: time },
                  counts: { nacks: 1 },
                },
                {
                  typeUrl: targetType,
                  acked: { version: expect.any(String), at: time },
                  counts: { acks: 1, nacks: 0 },
                },
                { known: false },
              ],
            },
          ],
        },
      ],
    });
    stream.cancel();
  });
});

describe('the debug endpoint', () => {
  it('has a page that may run its own files only', async () => {
    const { port } = running.app.listening.debug;
    const response = await fetch(`http://127.0.0.1:${port}/`);
    const policy = response.headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toContain('unsafe');
    const html = await response.text();
    const files = [...html.matchAll(/(?:src|href)="(\/page\/[^"]+)"/g)].map(([, path = '']) => path);
    expect(files).toContain('/page/main.js');
    const seen = new Set(['/page/lit-html.js', ...files]);
    for (const path of seen) {
      const file = await running.get('debug', path);
      expect(file.status, path).toBe(200);
      for (const [, imported = ''] of file.body.matchAll(/from '(\.[^']+)'/g)) {
        seen.add(new URL(imported, `http://page${path}`).pathname);
      }
    }
    expect(seen.size).toBeGreaterThan(15);
  });

  it('streams the status at once and after a change, and ends when the server stops', async () => {
    const { port } = running.app.listening.debug;
    const response = await fetch(`http://127.0.0.1:${port}/debug/events`);
    expect(response.headers.get('content-type')).toBe('text/event-stream');
    const events = response.body?.pipeThrough(new TextDecoderStream())[Symbol.asyncIterator]();
    const first = String((await events?.next())?.value);
    expect(first).toMatch(/^event: status\ndata: .*"targets":1,/);
    await running.write({ 'e.yaml': mcpService('default/another') });
    let text = '';
    while (!text.includes('"targets":2,')) text += String((await events?.next())?.value);
    await events?.return?.();
    await running.write({ 'e.yaml': undefined });
  });

  it('accepts only loopback Host headers, GET and HEAD', async () => {
    for (const host of ['localhost', 'LOCALHOST:9097', '127.0.0.1:1', '[::1]:9097'])
      expect(await statusFor(host)).toBe(200);
    for (const host of ['evil.example', 'localhost.evil.example', '127.0.0.1.evil.example', '10.0.0.1']) {
      expect(await statusFor(host), host).toBe(403);
    }
    for (const method of ['POST', 'PUT', 'DELETE']) expect(await statusFor('localhost', method)).toBe(405);
    expect(await statusFor('localhost', 'GET', '/nothing')).toBe(404);
    expect(await statusFor('localhost', 'HEAD')).toBe(200);
  });

  it('shows every collection of the graph, with its keys on request', async () => {
    const { status, body } = await running.get('debug', '/snapshots/graph?keys');
    expect(status).toBe(200);
    expect(body).toContain('wire/targets');
    expect(body).toContain('default/tool');
  });
});

it('a debug listener that other machines reach is warned of', async () => {
  await using open = await startWorld({}, { debugListen: { host: '0.0.0.0', port: 0 } });
  const line = await open.log.line('the debug listener shows every Gateway to whoever reaches it');
  expect(line).toMatchObject({ level: 'warn', fields: { host: '0.0.0.0' } });
  expect(running.log.text()).not.toContain('the debug listener shows');
});
