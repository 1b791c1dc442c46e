import { once } from 'node:events';
import { chmodSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { TargetFetch } from '../../../src/gateway/model.ts';
import { createNetwork } from '../../../src/gateway/network/network.ts';
import { parseResolutions } from '../../../src/gateway/network/resolve.ts';
import { createTargetSettings } from '../../../src/gateway/network/target-settings.ts';
import type { Target } from '../../../src/gen/mcp/kgateway/dev/target/v1alpha1/target.ts';
import { lookUntil } from '../../support/edges/look-until.ts';
import { createManualClock, type ManualClock } from '../../support/edges/manual-clock.ts';
import { createRecordedLog, type RecordedLog } from '../../support/edges/recorded-log.ts';
import { portOf } from '../../support/gateway/gateway-rig.ts';
import type { Script } from '../../support/gateway/raw-target.ts';
import { startTargetRig, type TargetRig } from '../../support/gateway/target-rig.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

interface Settings {
  readonly fetchFor: (target: Target) => TargetFetch;
  readonly log: RecordedLog;
  readonly clock: ManualClock;
}

/** The connections of a gateway with this configuration, to targets on this machine. */
async function settingsOf(passHeaders: readonly string[], headersFile?: string): Promise<Settings> {
  const clock = createManualClock();
  const log = createRecordedLog();
  const settings = createTargetSettings(clock, log);
  onTestFinished(await settings.open({ ca: undefined, headersFile, passHeaders }));
  const fetchFor = (target: Target): TargetFetch => {
    const here = `${target.host}:${target.port}`;
    const resolutions = parseResolutions([`${here}=${here}`]);
    const network = createNetwork({ resolutions, settings, clock, failed: () => {} });
    onTestFinished(network.stop);
    return network.targetFetch(target);
  };
  return { fetchFor, log, clock };
}

async function startRig(
  passHeaders: readonly string[],
  headersFile?: string,
  script: Script = () => ({ result: { content: [] } }),
): Promise<TargetRig & Settings> {
  const settings = await settingsOf(passHeaders, headersFile);
  const rig = await startTargetRig(script, {
    name: 'ns/raw',
    fetchFor: settings.fetchFor,
    passHeaders,
    sessionId: 'of the target',
  });
  onTestFinished(() => rig[Symbol.asyncDispose]());
  rig.gateway.config.allowAll('ns.all', 'me');
  return { ...rig, ...settings };
}

/** Calls a tool with these headers, in a session or without one. */
async function call({ gateway }: TargetRig, headers: Readonly<Record<string, string>>): Promise<unknown> {
  const stateless = headers['mcp-session-id'] === undefined;
  const meta = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientInfo': { name: 'raw', version: '0' },
    'io.modelcontextprotocol/clientCapabilities': {},
  };
  const response = await fetch(`${gateway.url}/mcp`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${gateway.token('me')}`,
      accept: 'application/json, text/event-stream',
      'content-type': 'application/json',
      ...(stateless && {
        'mcp-protocol-version': '2026-07-28',
        'mcp-method': 'tools/call',
        'mcp-name': 'ns/raw:echo',
      }),
      ...headers,
    },
    body: JSON.stringify({
      jsonrpc: '2.0',
      id: 77,
      method: 'tools/call',
      params: { name: 'ns/raw:echo', arguments: {}, ...(stateless && { _meta: meta }) },
    }),
  });
  return response.text();
}

const headerAt = async ({ target }: TargetRig, method: string, name: string): Promise<unknown> =>
  (await target.arrival(method)).headers[name];

describe('headers of clients', () => {
  it('that are named reach the target of a call, and no other ones do', async () => {
    const rig = await startRig(['x-tenant', 'traceparent']);
    const { sessionId } = await rig.open();
    await call(rig, { 'mcp-session-id': sessionId, 'X-Tenant': 'a, b', cookie: 'c=d', 'x-other': 'e' });
    const { headers } = await rig.target.arrival('tools/call');
    expect(headers).toMatchObject({ 'x-tenant': 'a, b' });
    for (const name of ['authorization', 'cookie', 'x-other', 'traceparent']) expect(headers).not.toHaveProperty(name);
  });

  it('also without a session, each request its own', async () => {
    const rig = await startRig(['x-tenant']);
    await call(rig, { 'x-tenant': 'one' });
    await call(rig, {});
    await call(rig, { 'x-tenant': 'three' });
    const calls = rig.target.received.filter(({ method }) => method === 'tools/call');
    expect(calls.map(({ headers }) => headers['x-tenant'])).toEqual(['one', undefined, 'three']);
  });

  it('go with what the session of a client sends to the target by itself', async () => {
    const rig = await startRig(['x-tenant']);
    const { sessionId } = await rig.open();
    rig.gateway.config.putTarget({ ...rig.target.target('ns/raw'), path: '/other' });
    await call(rig, { 'mcp-session-id': sessionId, 'x-tenant': 'one' });
    await call(rig, { 'mcp-session-id': sessionId });
    const sent = (method: string): readonly unknown[] =>
      rig.target.received.filter((arrived) => arrived.method === method).map(({ headers }) => headers['x-tenant']);
    expect([sent('initialize').at(-1), sent('notifications/initialized').at(-1)]).toEqual(['one', 'one']);
    expect(sent('tools/call')).toEqual(['one', undefined]);
  });

  it('do not go with the lists that the gateway makes for all', async () => {
    const rig = await startRig(['x-tenant']);
    const client = await rig.open();
    rig.gateway.config.removeConfig('ns.all');
    await call(rig, { 'mcp-session-id': client.sessionId, 'x-tenant': 'one' });
    await client.request('tools/list');
    expect(await headerAt(rig, 'tools/list', 'x-tenant')).toBeUndefined();
  });

  it('with credentials go only if they are named', async () => {
    const rig = await startRig(['authorization']);
    const { sessionId } = await rig.open();
    await call(rig, { 'mcp-session-id': sessionId, cookie: 'c=d' });
    expect(await headerAt(rig, 'tools/call', 'authorization')).toMatch(/^Bearer token-/);
    expect(await headerAt(rig, 'tools/call', 'cookie')).toBeUndefined();
  });
});

describe('a target that refuses the header of one caller', () => {
  it.each([401, 403, 503])('with status %i does not look as if it failed, nor is it left out', async (status) => {
    const script: Script = ({ method, headers }) => {
      if (headers['x-key'] === 'wrong') return { status };
      return { result: method === 'tools/list' ? { tools: [{ name: 'echo' }] } : { content: [] } };
    };
    const rig = await startRig(['x-key'], undefined, script);
    const { targetState } = rig.gateway.downstream;
    const [wrong, other] = [await rig.open(), await rig.open()];
    rig.gateway.config.putTarget({ ...rig.target.target('ns/raw'), path: '/other' });
    const refused = await call(rig, { 'mcp-session-id': wrong.sessionId, 'x-key': 'wrong' });
    expect(refused).toContain(`does not answer: it refuses the request, or its headers, with status ${status}`);
    // The list is read over the connection that was opened with the header.
    expect((await wrong.request('tools/list')).result).toMatchObject({ tools: [] });
    expect(targetState('ns/raw')).toMatchObject({
      state: 'answers',
      circuit: null,
      lists: [],
      lastError: { request: 'tools/list', reason: expect.stringContaining(`status ${status}`) },
      requests: { error: 2, failure: 0 },
    });
    expect((await other.request('tools/list')).result).toMatchObject({ tools: [{ name: 'ns/raw:echo' }] });
    expect(await call(rig, { 'mcp-session-id': other.sessionId })).toContain('content');
    const messages = rig.gateway.log.lines.map(({ message }) => message);
    expect(messages).not.toContain('target does not answer');
    expect(messages).toContain('target refuses a request, perhaps for the headers of its client');
  });
});

const write = (json: unknown, mode = 0o600): string => {
  const path = join(temporaryFolder(), 'headers.json');
  writeFileSync(path, JSON.stringify(json));
  chmodSync(path, mode);
  return path;
};

describe('headers of the operator', () => {
  it('go with every request to their target, in place of what a client has sent, and are never logged', async () => {
    const secret = 'Bearer hunter2';
    const path = write({ 'ns/raw': { Authorization: secret }, 'ns/other': { 'x-other': 'b' } });
    const rig = await startRig(['authorization'], path);
    const client = await rig.open();
    await client.request('tools/list');
    await call(rig, { 'mcp-session-id': client.sessionId });
    for (const { headers } of rig.target.received) {
      expect(headers['authorization']).toBe(secret);
      expect(headers).not.toHaveProperty('x-other');
    }
    expect(rig.target.received.length).toBeGreaterThan(2);
    expect(rig.log.text() + rig.gateway.log.text()).not.toContain('hunter2');
  });

  it('are those of the file when it has changed, and of before when it cannot be used', async () => {
    const path = write({ 'ns/raw': { 'x-key': 'one' } });
    const rig = await startRig([], path);
    writeFileSync(path, JSON.stringify({ 'ns/raw': { 'x-key': 'two' } }));
    await lookUntil(rig.clock, rig.log.line('read the files'));
    writeFileSync(path, JSON.stringify({ 'ns/raw': { 'x-key': 'three\n' } }));
    await lookUntil(rig.clock, rig.log.line('cannot be used'));
    const { sessionId } = await rig.open();
    await call(rig, { 'mcp-session-id': sessionId });
    expect(await headerAt(rig, 'tools/call', 'x-key')).toBe('two');
    expect(rig.log.text()).not.toContain('three');
  });

  it('in a file that everybody may read are a warning', async () => {
    const { log } = await settingsOf([], write({}, 0o644));
    expect(log.lines.map(({ message }) => message)).toEqual([
      'upstream.headers_file may be read by every user of this machine: run chmod 0600 on it, or set defaultMode',
    ]);
  });

  it.each<[string, string, unknown]>([
    ['that is not there', 'cannot be read: ENOENT', undefined],
    ['with an error', 'headers.json: "ns/raw": "a" has a line break', { 'ns/raw': { a: 'hunter2\n' } }],
  ])('in a file %s stop the start', async (_, reason, json) => {
    const path = json === undefined ? join(temporaryFolder(), 'headers.json') : write(json);
    await expect(settingsOf([], path)).rejects.toThrow(reason);
    await expect(settingsOf([], path)).rejects.not.toThrow('hunter2');
  });
});

describe('headers that may be secrets', () => {
  const page: RequestListener = ({ headers }, response) => response.writeHead(400).end(JSON.stringify(headers));
  const location: RequestListener = ({ headers }, response) =>
    response.writeHead(302, { location: `https://login.test/?key=${headers['x-key']}` }).end();
  it.each([
    ['of the operator', [], { 'ns/raw': { 'x-key': 'hunter2' } }, page, 'status 400: its text is not shown'],
    ['that clients send', ['x-key'], {}, page, 'status 400: its text is not shown'],
    [
      'that clients send, in a redirect,',
      ['x-key'],
      {},
      location,
      'status 302: redirects to https://login.test, which',
    ],
  ])('%s are not logged although the target repeats them', async (_, passHeaders, file, handle, reason) => {
    const echo = createServer(handle);
    await once(echo.listen(0, '127.0.0.1'), 'listening');
    onTestFinished(() => void echo.close());
    onTestFinished(() => echo.closeAllConnections());
    const { fetchFor, log } = await settingsOf(passHeaders, write(file));
    await using rig = await startTargetRig(() => ({ result: {} }), { fetchFor, passHeaders });
    const { gateway } = rig;
    gateway.config.putTarget({ name: 'ns/raw', host: '127.0.0.1', port: portOf(echo.address()), path: '/mcp' });
    gateway.config.allowAll('ns.all', 'me');
    const { sessionId } = await rig.open();
    await call(rig, { 'mcp-session-id': sessionId, 'x-key': 'hunter2' });
    const { lastError } = gateway.downstream.targetState('ns/raw');
    expect(lastError?.reason).toContain(reason);
    expect(JSON.stringify(lastError) + log.text() + gateway.log.text()).not.toContain('hunter2');
  });
});
