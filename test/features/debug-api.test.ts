import { readFile } from 'node:fs/promises';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { formatHostPort } from '../../src/net/host-port.ts';
import { type AdsClient, createAdsClient } from '../support/nodes/ads-client.ts';
import { configType, targetType } from '../support/worlds/hand-made-world.ts';
import { mcpClass, mcpGateway, mcpService, openGateway, policy, together } from '../support/worlds/manifests.ts';
import { type RunningWorld, startWorld } from '../support/worlds/running-world.ts';
import { nodeOf } from '../support/worlds/served-world.ts';

/** Paths that are asked elsewhere: one needs a query, and the answer of the other has no end. */
const otherwise: ReadonlySet<string> = new Set(['/debug/object', '/debug/events']);

interface OpenApi {
  readonly paths: Readonly<
    Record<string, Readonly<Record<string, { readonly responses: Readonly<Record<string, object>> }>>>
  >;
}

const openApi: OpenApi = parse(await readFile(new URL('../../docs/openapi.yaml', import.meta.url), 'utf8'));
const ajv = new Ajv2020({ strict: false });
ajv.addSchema({ $id: 'api', ...openApi });

let running: RunningWorld;
let client: AdsClient;

beforeAll(async () => {
  const gateways = together(openGateway, mcpGateway('red/gw', 'from: Same'));
  const others = together(mcpService('default/tool'), policy('default/p', 'gw'), policy('red/lost', 'gone'));
  running = await startWorld({ 'a.yaml': gateways, 'b.yaml': others, 'c.yaml': '"' });
  client = createAdsClient(formatHostPort(running.app.listening.xds));
});
afterAll(async () => {
  client.close();
  await running[Symbol.asyncDispose]();
});

interface Asked {
  readonly method?: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Asks the debug listener, and holds the answer against the schema of its path, method and status. */
async function ask(target: string, { method = 'GET', body, headers = {} }: Asked = {}): Promise<[number, unknown]> {
  const response = await fetch(`http://${formatHostPort(running.app.listening.debug)}${target}`, {
    method,
    ...(body !== undefined && { body: JSON.stringify(body) }),
    headers: { ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
  });
  const answer: unknown = await response.json();
  const [path = ''] = target.split('?');
  const pointer = ['paths', path, method.toLowerCase(), 'responses', String(response.status)];
  const escaped = pointer.map((part) => part.replaceAll('~', '~0').replaceAll('/', '~1')).join('/');
  const documented = openApi.paths[path]?.[method.toLowerCase()]?.responses[String(response.status)];
  expect(documented, `${method} ${path} with ${response.status}`).toBeDefined();
  const inComponents = documented !== undefined && '$ref' in documented;
  const root = inComponents ? 'components/responses/Error' : escaped;
  const schema = { $ref: `api#/${root}/content/application~1json/schema` };
  const validate = ajv.compile(schema);
  expect(validate(answer) ? [] : validate.errors, `${method} ${target}`).toEqual([]);
  return [response.status, answer];
}

describe('the document of the debug endpoints', () => {
  it('lists every path, and holds for each that is read', async () => {
    const response = await fetch(`http://${formatHostPort(running.app.listening.debug)}/nothing`);
    const { error }: { error: string } = JSON.parse(await response.text());
    const served = error.match(/\/(?:debug|snapshots)\/[a-z]+|\/version/g);
    expect(Object.keys(openApi.paths).sort()).toEqual(served?.toSorted());
    for (const [path, methods] of Object.entries(openApi.paths)) {
      if (methods['get'] !== undefined && !otherwise.has(path)) expect((await ask(path))[0], path).toBe(200);
    }
  });

  it('holds for what is asked wrongly', async () => {
    for (const target of [
      '/debug/graph?gateway=gw',
      '/debug/graph?limit=1001',
      '/debug/graph?only=gold',
      '/debug/nodes?offset=-1',
      '/debug/nodes?state=happy',
      `/debug/nodes?q=${'q'.repeat(254)}`,
      '/debug/object',
      '/debug/object?kind=Secret&key=default/token',
      '/debug/object?kind=Gateway&key=a/b/c',
      '/debug/problems?severity=fatal',
      '/debug/changes?limit=',
      '/snapshots/xds?gateway=gw',
      '/snapshots/xds?nodes=maybe',
      '/snapshots/xds?fields=synced,secrets',
    ]) {
      expect((await ask(target))[0], target).toBe(400);
    }
    expect((await ask('/debug/object?kind=Gateway&key=default/gone'))[0]).toBe(404);
  });
});

describe('/debug/status', () => {
  it('counts the problems when it is asked for the first time', async () => {
    await using fresh = await startWorld({ 'a.yaml': openGateway, 'c.yaml': '"' });
    await fresh.log.line('synced: everything');
    const { body } = await fresh.get('debug', '/debug/status');
    expect(JSON.parse(body)).toMatchObject({ synced: true, problems: { errors: 1, warnings: 0 } });
  });
});

describe('/debug/graph', () => {
  it('counts what belongs to each Gateway, by pages and by name', async () => {
    const [, all] = await ask('/debug/graph');
    expect(all).toMatchObject({
      total: 2,
      items: [
        { gateway: 'default/gw', state: 'served', listeners: 1, targets: 1, policies: 1 },
        { gateway: 'red/gw', state: 'served', targets: 0, policies: 0 },
      ],
    });
    expect((await ask('/debug/graph?offset=1&limit=1'))[1]).toMatchObject({ total: 2, items: [{ gateway: 'red/gw' }] });
    expect((await ask('/debug/graph?q=RED'))[1]).toMatchObject({ total: 1, items: [{ gateway: 'red/gw' }] });
    expect((await ask('/debug/graph?only=problems'))[1]).toMatchObject({ total: 0 });
  });

  it('shows the listeners, targets and policies of one', async () => {
    expect((await ask('/debug/graph?gateway=default/gw'))[1]).toMatchObject({
      listeners: [{ accepted: true, protocol: 'kgateway.dev/mcp', allows: 'all namespaces' }],
      targets: { total: 1, items: [{ name: 'default/tool', service: 'default/tool', host: '10.0.0.1', port: 80 }] },
      policies: { total: 1, items: [{ policy: 'default/p', attached: true, rules: 1 }] },
    });
    expect((await ask('/debug/graph?gateway=red/gone'))[1]).toMatchObject({ state: 'missing' });
  });
});

describe('/debug/object', () => {
  it('shows a policy as it is written, its conditions, its form on the wire and what it allows', async () => {
    expect((await ask('/debug/object?kind=MCPAuthPolicy&key=default/p'))[1]).toMatchObject({
      place: expect.stringMatching(/b\.yaml:\d+:\d+$/),
      manifest: expect.stringContaining('kind: MCPAuthPolicy'),
      conditions: expect.arrayContaining([
        expect.objectContaining({ of: 'Gateway gw', type: 'Accepted', status: 'True' }),
      ]),
      wire: [
        { typeUrl: configType, name: 'default.p', resource: { rules: [{ key: 'sub', value: 'me' }] } },
        {
          dialect: 'agentgateway.dev',
          name: 'policy/default/p:mcp-authorization:default/gw',
          resource: {
            policy: { backend: { mcpAuthorization: { allow: ['jwt["sub"] == "me" && mcp.tool.name != ""'] } } },
          },
        },
      ],
      gateways: ['default/gw'],
      grants: { total: 1, items: [{ gateway: 'default/gw', claim: 'sub', value: 'me', kind: 'tool', name: '*' }] },
    });
  });

  it('shows the document of the object only, and a Service with its target', async () => {
    const [, service] = await ask('/debug/object?kind=Service&key=default/tool');
    expect(service).toMatchObject({
      manifest: expect.not.stringContaining('MCPAuthPolicy'),
      wire: [
        { typeUrl: targetType, name: 'default/tool', resource: { host: '10.0.0.1' } },
        { name: 'backend/tool.default', resource: { backend: { static: { host: '10.0.0.1', port: 80 } } } },
      ],
      gateways: ['default/gw'],
      grants: { total: 1 },
    });
  });
});

describe('/debug/problems', () => {
  it('lists what decoding, conditions and hints say, errors first, and counts by kind', async () => {
    expect((await ask('/debug/problems'))[1]).toMatchObject({
      errors: 1,
      warnings: 1,
      kinds: expect.arrayContaining([expect.objectContaining({ kind: 'File', errors: 1 })]),
      items: [
        { severity: 'error', from: 'input', kind: null, place: expect.stringMatching(/c\.yaml:1:\d+$/) },
        { severity: 'warning', from: 'hint', kind: 'MCPAuthPolicy', key: 'red/lost' },
      ],
    });
    expect((await ask('/debug/problems?severity=warning'))[1]).toMatchObject({ total: 1, items: [{ from: 'hint' }] });
  });
});

describe('/debug/nodes and /debug/changes', () => {
  it('show how a change reaches a node', async () => {
    const node = { ...nodeOf('default/gw'), id: 'a node' };
    const stream = client.open().request(targetType, { node }).request(configType, { node });
    await stream.accept();
    await stream.accept();
    await stream.silence();
    const [, nodes] = await ask('/debug/nodes?gateway=default/gw');
    expect(nodes).toMatchObject({
      total: 1,
      states: { inSync: 1, behind: 0, refusing: 0 },
      nodes: [{ id: 'a node', state: 'in-sync', dialect: 'mcp.kgateway.dev', variant: 'delta' }],
    });
    await running.write({ 'd.yaml': mcpService('default/other') });
    const update = await stream.next();
    expect((await ask('/debug/nodes?state=behind'))[1]).toMatchObject({ total: 1, nodes: [{ state: 'behind' }] });
    stream.nack(update, 'no');
    await stream.silence();
    expect((await ask('/debug/nodes?q=A NODE'))[1]).toMatchObject({
      nodes: [
        {
          state: 'refusing',
          types: expect.arrayContaining([
            expect.objectContaining({ rejection: expect.objectContaining({ message: 'no' }) }),
          ]),
        },
      ],
    });
    expect((await ask('/debug/graph?only=problems'))[1]).toMatchObject({
      total: 1,
      items: [{ gateway: 'default/gw' }],
    });
    const [, changes] = await ask('/debug/changes');
    expect(changes).toMatchObject({
      items: expect.arrayContaining([
        expect.objectContaining({
          cause: 'change',
          objects: expect.arrayContaining([{ kind: 'Service', key: 'default/other', change: 'set' }]),
          encoded: { [targetType]: 1 },
        }),
      ]),
    });
    expect(sumOf(changes, 'pushes')).toBe(1);
    expect(sumOf(changes, 'nacks')).toBe(1);
    stream.cancel();
    await running.write({ 'd.yaml': undefined });
  });
});

function sumOf(changes: unknown, field: string): number {
  const { items }: { items: readonly Record<string, number>[] } = JSON.parse(JSON.stringify(changes));
  return items.reduce((sum, item) => sum + (item[field] ?? 0), 0);
}

describe('/debug/explain', () => {
  const post = (body: unknown, headers?: Asked['headers']) =>
    ask('/debug/explain', { method: 'POST', body, ...(headers && { headers }) });
  const request = { kind: 'tool', name: 'default/tool:x' };

  it('answers with the rule that decides, with near misses, and with all rules', async () => {
    const gateway = 'default/gw';
    expect((await post({ gateway, request, claims: { sub: 'me' } }))[1]).toMatchObject({
      verdict: 'allowed',
      by: { policy: 'default/p', rule: 0, match: 0, place: expect.stringMatching(/b\.yaml:\d+:\d+$/) },
      notes: [expect.stringContaining('errors'), expect.stringMatching(/c\.yaml:1:2: This is no YAML/)],
    });
    expect((await post({ gateway, request, claims: { sub: 'you' } }))[1]).toMatchObject({
      verdict: 'denied',
      reasons: [{ code: 'claim-value' }],
    });
    expect((await post({ gateway }))[1]).toMatchObject({ verdict: 'grants', grants: [{ name: '*' }] });
    expect((await post({ gateway: 'default/gv', request, claims: {} }))[1]).toMatchObject({
      reasons: [{ code: 'gateway-unknown', message: expect.stringContaining('default/gw') }],
    });
  });

  it('refuses a question that it does not understand, and never repeats claims', async () => {
    for (const body of [
      [],
      { gateway: 1 },
      { token: 'secret' },
      { claims: '{"sub":"secret"}' },
      { request: { kind: 'toll', name: 'secret' } },
      { request: { kind: 'tool' } },
      {},
    ]) {
      const [status, answer] = await post(body);
      expect(status, JSON.stringify(body)).toBe(400);
      expect(JSON.stringify(answer)).not.toContain('secret');
    }
    expect((await post({}, { origin: 'http://evil.example' }))[0]).toBe(403);
    expect((await post({}, { 'content-type': 'text/plain' }))[0]).toBe(415);
    expect(running.log.text()).not.toContain('secret');
  });
});

describe('/debug/logging and /debug/config', () => {
  it('changes the level, and says so in the log', async () => {
    expect((await ask('/debug/logging', { method: 'PUT', body: { level: 'debug' } }))[1]).toMatchObject({
      level: 'debug',
    });
    expect((await ask('/debug/logging'))[1]).toMatchObject({ level: 'debug' });
    expect((await running.log.line('the log level was changed')).fields).toEqual({ from: 'info', to: 'debug' });
    expect((await ask('/debug/logging', { method: 'POST', body: { level: 'loud' } }))[0]).toBe(400);
    const headers = { origin: 'http://evil.example' };
    expect((await ask('/debug/logging', { method: 'POST', body: { level: 'info' }, headers }))[0]).toBe(403);
  });

  it('shows what the program runs with', async () => {
    expect((await ask('/debug/config'))[1]).toMatchObject({
      input: { from: 'files' },
      controllerName: 'kgateway.dev/kgateway',
    });
  });
});

describe('/snapshots/xds', () => {
  it('refuses an answer that would take seconds to write, and says how to ask', async () => {
    const gateways = Array.from({ length: 300 }, (_, index) => mcpGateway(`default/gw-${index}`));
    const services = Array.from({ length: 200 }, (_, index) => mcpService(`default/tool-${index}`));
    const files = { 'a.yaml': together(mcpClass, ...gateways), 'b.yaml': together(...services) };
    await using large = await startWorld(files);
    await large.log.line('synced: everything');
    const get = (path: string): ReturnType<typeof large.get> => large.get('debug', path);
    const { status, body } = await get('/snapshots/xds');
    expect({ status, body }).toEqual({ status: 413, body: expect.stringContaining('?gateway=') });
    expect(body).toContain('at most 50000');
    const one = await get('/snapshots/xds?gateway=default/gw-7');
    expect(one.body.match(/"name":"default\/tool-/g)).toHaveLength(400);
    expect((await get('/snapshots/xds?fields=policies,problems')).status).toBe(200);
    expect((await get('/snapshots/graph')).status).toBe(200);
  });

  it('leaves out what nobody asked for', async () => {
    const [, answer] = await ask('/snapshots/xds?nodes=false&fields=gateways,synced');
    expect(Object.keys(Object(answer))).toEqual(['synced', 'gateways']);
    expect(JSON.stringify(answer)).not.toContain('"nodes"');
  });
});
