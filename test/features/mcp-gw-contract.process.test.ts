import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { Rule } from '../../src/gen/mcp/kgateway/dev/rbac/v1alpha1/rbac.ts';
import { configType, config as configWith, garbage, target, targetType } from '../gateway/xds/resources.ts';
import { callerAt, outcomeOf, tokenOf } from '../support/agentgateway/agentgateway-caller.ts';
import { freePort } from '../support/gateway/everything-server.ts';
import { ownIssuer } from '../support/mcp-gw/mcp-gw-guide.ts';
import { type McpGwProcess, mcpGwBinary, startMcpGw } from '../support/mcp-gw/mcp-gw-process.ts';
import { type ScriptedAds, type ScriptedStream, startScriptedAds } from '../support/nodes/scripted-ads.ts';
import { type GatehouseProcess, gatehouse } from '../support/processes/gatehouse-process.ts';

/** What docs/wire.md says that these gateways do with a message: here a control plane sends it. */
const tool = 'default/mcp-tool:convert_to_markdown';
const converted = '# We the People';
const denied = 'not allowed';

let sample: GatehouseProcess;
let toolPort = 0;
let token = '';

beforeAll(async () => {
  if (mcpGwBinary === undefined) return;
  sample = gatehouse(['mcp-tool', '--sse', '--host=127.0.0.1', '--port=0']);
  toolPort = Number((await sample.listening('mcp')).split(':')[1]);
  token = await tokenOf('me');
});
afterAll(() => sample?.[Symbol.asyncDispose]());

interface Node {
  readonly gateway: McpGwProcess;
  readonly ads: ScriptedAds;
  readonly stream: ScriptedStream;
  connect(): Promise<Client>;
}

/** A gateway that has sent its first two requests, and has been sent nothing. */
async function startNode(): Promise<Node> {
  const [folder, port, ads] = await Promise.all([
    mkdtemp(join(tmpdir(), 'gatehouse-mcp-gw-')),
    freePort(),
    startScriptedAds(),
  ]);
  const listener = { type: 'sse', host: '127.0.0.1', port, authn: ownIssuer };
  const config = { type: 'xds', xds_address: `http://127.0.0.1:${ads.port}`, metadata: {}, listener };
  const gateway = await startMcpGw({ file: join(folder, 'config.json'), config });
  onTestFinished(async () => {
    ads.stop();
    await gateway.kill();
    await rm(folder, { recursive: true });
  });
  return {
    gateway,
    ads,
    stream: await ads.stream(),
    connect: () => callerAt(`http://127.0.0.1:${port}`, token, '/sse'),
  };
}

/** Takes the two requests of a new stream, and sends the sample tool. */
async function sendTarget(stream: ScriptedStream): Promise<void> {
  await stream.request();
  await stream.request();
  await answered(stream, {
    typeUrl: targetType,
    resources: [target('default/mcp-tool', { host: '127.0.0.1', port: toolPort })],
  });
}

/** Sends a response, and returns the request that answers it. */
async function answered(
  stream: ScriptedStream,
  response: Parameters<ScriptedStream['send']>[0],
): ReturnType<ScriptedStream['request']> {
  stream.send({ nonce: '1', ...response });
  return stream.request();
}

const call = (client: Client): Promise<string> =>
  outcomeOf(client, tool, { uri: 'data:text/html,<h1>We the People</h1>' });

const allowing: Partial<Rule> = { resource: { id: tool, type: 0 } };

describe.skipIf(mcpGwBinary === undefined)('the gateway of spring 2025', { timeout: 60_000 }, () => {
  it('asks for targets, then for policies, without names, and says whose it is', async () => {
    const { stream } = await startNode();
    const first = await stream.request();
    const second = await stream.request();
    expect([first.typeUrl, second.typeUrl]).toEqual([targetType, configType]);
    for (const request of [first, second]) {
      expect(request).toMatchObject({ resourceNamesSubscribe: [], resourceNamesUnsubscribe: [], responseNonce: '' });
      expect(request.initialResourceVersions).toEqual({});
      expect(request.node?.id).toBe('mcpgw~1.1.1.1~mcp-gateway.default~default.svc.cluster.local');
      expect(request.node?.metadata).toMatchObject({ role: 'mcp-kgateway-kube-gateway-api~default~mcp-gateway' });
    }
  });

  it('denies everything before the first Config, and lets everybody in with one that has no rules', async () => {
    const { stream, connect } = await startNode();
    await sendTarget(stream);
    const client = await connect();
    expect(await call(client)).toContain(denied);
    await answered(stream, {
      typeUrl: configType,
      resources: [configWith('default.p', [{ ...allowing, value: 'you' }])],
    });
    expect(await call(client)).toContain(denied);
    await answered(stream, { typeUrl: configType, resources: [configWith('default.p', [])] });
    expect(await call(client)).toContain(converted);
  });

  it.each<[string, Partial<Rule>]>([
    ['without a resource', { resource: undefined }],
    ['of an unknown kind', { resource: { id: '*', type: 3 as 0 } }],
    ['with an unknown matcher', { matcher: 1 as 0 }],
  ])('ends when it gets a rule %s', async (_, rule) => {
    const { gateway, stream } = await startNode();
    await sendTarget(stream);
    stream.send({ nonce: '1', typeUrl: configType, resources: [configWith('default.p', [rule])] });
    await gateway.ended();
    expect(gateway.death()).toContain('ended with 101');
  });
});

describe.skipIf(mcpGwBinary === undefined)('the state of a gateway of spring 2025', { timeout: 60_000 }, () => {
  it('removes a Config by <namespace>.<name>, and by no other name', async () => {
    const { stream, connect } = await startNode();
    await sendTarget(stream);
    await answered(stream, { typeUrl: configType, resources: [configWith('default.p', [allowing])] });
    const client = await connect();
    expect(await call(client)).toContain(converted);
    await answered(stream, { typeUrl: configType, removedResources: ['p', 'default/p'] });
    expect(await call(client)).toContain(converted);
    await answered(stream, { typeUrl: configType, removedResources: ['default.p'] });
    expect(await call(client)).toContain(denied);
  });

  it('applies what it can of a response with a broken resource, refuses it without a code, and reports all of its names', async () => {
    const { ads, stream, connect } = await startNode();
    await sendTarget(stream);
    const resources = [garbage('default.broken', configType), configWith('default.p', [allowing])];
    const refusal = await answered(stream, { typeUrl: configType, resources });
    expect(refusal).toMatchObject({ typeUrl: configType, responseNonce: '1', errorDetail: { code: 0 } });
    expect(refusal.errorDetail?.message).toMatch(/^default\.broken: /);
    const client = await connect();
    expect(await call(client)).toContain(converted);
    stream.end();
    const next = await ads.stream();
    const [targets, configs] = [await next.request(), await next.request()];
    expect(targets.initialResourceVersions).toEqual({ 'default/mcp-tool': '' });
    expect(configs.initialResourceVersions).toEqual({ 'default.broken': '', 'default.p': '' });
    expect(await call(client), 'keeps its state across streams').toContain(converted);
  });

  it('reaches targets that are gone in sessions that have called them', async () => {
    const { stream, connect } = await startNode();
    await sendTarget(stream);
    await answered(stream, { typeUrl: configType, resources: [configWith('default.p', [allowing])] });
    const client = await connect();
    expect(await call(client)).toContain(converted);
    await answered(stream, { typeUrl: targetType, removedResources: ['default/mcp-tool'] });
    expect(await call(client)).toContain(converted);
    expect(await call(await connect())).toContain('invalid service name');
  });
});
