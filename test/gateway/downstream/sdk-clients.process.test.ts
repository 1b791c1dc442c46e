import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { SSEClientTransport } from '@modelcontextprotocol/sdk/client/sse.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { CallToolResultSchema, type ClientCapabilities, ElicitRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type EverythingServer, startEverything } from '../../support/gateway/everything-server.ts';
import { type GatewayRig, startGateway } from '../../support/gateway/gateway-rig.ts';

let overSse: EverythingServer;
let overHttp: EverythingServer;

beforeAll(async () => {
  [overSse, overHttp] = await Promise.all([startEverything('sse'), startEverything('streamableHttp')]);
}, 30_000);
afterAll(async () => {
  await Promise.all([overSse[Symbol.asyncDispose](), overHttp[Symbol.asyncDispose]()]);
});

const paths = ['/sse', '/mcp'] as const;

async function connect(
  gateway: GatewayRig,
  path: (typeof paths)[number],
  subject: string,
  capabilities: ClientCapabilities = {},
): Promise<Client> {
  const client = new Client({ name: 'test', version: '0' }, { capabilities });
  const url = new URL(gateway.url + path);
  const requestInit = { headers: { authorization: `Bearer ${gateway.token(subject)}` } };
  // The types of the package do not support exactOptionalPropertyTypes.
  const transport =
    path === '/sse'
      ? new SSEClientTransport(url, { requestInit })
      : new StreamableHTTPClientTransport(url, { requestInit });
  await client.connect(transport as Parameters<Client['connect']>[0]);
  return client;
}

describe.each(paths)('the SDK client at %s, with server-everything over both transports as target', (path) => {
  it('lists the tools of all targets, and may call those that a policy allows', { timeout: 30_000 }, async () => {
    await using gateway = await startGateway();
    gateway.config.putTarget(overSse.target('default/sse'));
    gateway.config.putTarget(overHttp.target('default/http'));
    const client = await connect(gateway, path, 'me');

    const { tools } = await client.listTools();
    const echoes = tools.map(({ name }) => name).filter((name) => name.endsWith(':echo'));
    expect(echoes).toEqual(['default/http:echo', 'default/sse:echo']);

    for (const name of echoes) {
      await expect(client.callTool({ name, arguments: { message: 'hi' } })).rejects.toThrow('not allowed');
      gateway.config.allow('default.policy', 'me', 'tool', name);
      const { content } = await client.callTool({ name, arguments: { message: 'hi' } });
      expect(content).toEqual([{ type: 'text', text: 'Echo: hi' }]);
    }
    gateway.config.removeConfig('default.policy');
    for (const name of echoes) {
      await expect(client.callTool({ name, arguments: { message: 'hi' } })).rejects.toThrow('not allowed');
    }
    await client.close();
  });
});

it('server-everything has more tools for a client that can be asked for something', async () => {
  await using gateway = await startGateway();
  gateway.config.putTarget(overHttp.target('default/http'));
  gateway.config.allowAll('default.policy', 'me');
  const named = async (capabilities: ClientCapabilities): Promise<readonly string[]> => {
    const client = await connect(gateway, '/mcp', 'me', capabilities);
    const { tools } = await client.listTools();
    await client.close();
    return tools.map(({ name }) => name.replace('default/http:', ''));
  };
  const plain = await named({});
  const more = await named({ sampling: {}, elicitation: { form: {}, url: {} }, roots: { listChanged: true } });
  expect([plain.length, more.length]).toEqual([13, 17]);
});

it('the SDK client runs a task of server-everything, which asks its user for something', {
  timeout: 60_000,
}, async () => {
  await using gateway = await startGateway();
  gateway.config.putTarget(overHttp.target('default/http'));
  const name = 'default/http:simulate-research-query';
  gateway.config.allow('default.policy', 'me', 'tool', name);
  const capabilities = { elicitation: { form: {} } };
  const client = await connect(gateway, '/mcp', 'me', capabilities);
  client.setRequestHandler(ElicitRequestSchema, () => ({ action: 'accept', content: { interpretation: 'technical' } }));
  // The client learns here which tools are tasks.
  await client.listTools();
  const call = { name, arguments: { topic: 'python', ambiguous: true } };
  const seen: string[] = [];
  for await (const message of client.experimental.tasks.callToolStream(call, CallToolResultSchema, { task: {} })) {
    if (message.type === 'error') throw message.error;
    if (message.type === 'taskCreated') expect(message.task.taskId).toMatch(/^[0-9a-f]{32}$/);
    if (seen.at(-1) !== message.type) seen.push(message.type);
    if (message.type === 'result') expect(JSON.stringify(message.result)).toContain('python');
  }
  expect(seen).toEqual(['taskCreated', 'taskStatus', 'result']);
  expect((await client.experimental.tasks.listTasks()).tasks).toMatchObject([{ status: 'completed' }]);
  await client.close();
});
