import { createServer } from 'node:http';
import { Client as NewClient, StreamableHTTPClientTransport as NewTransport } from '@modelcontextprotocol/client';
import { toNodeHandler } from '@modelcontextprotocol/node';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { SSEClientTransport } from '@modelcontextprotocol/sdk/client/sse.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { createMcpHandler, fromJsonSchema, McpServer } from '@modelcontextprotocol/server';
import { expect, it } from 'vitest';
import type { Target } from '../../../src/gen/mcp/kgateway/dev/target/v1alpha1/target.ts';
import { type GatewayRig, portOf, startGateway } from '../../support/gateway/gateway-rig.ts';

/** A server of the SDK, of the newest revision alone or of those with a handshake, too. */
async function startServer(legacy: 'stateless' | 'reject'): Promise<AsyncDisposable & { readonly target: Target }> {
  const handler = createMcpHandler(
    () => {
      const server = new McpServer({ name: 'sdk', version: '1' });
      const inputSchema = fromJsonSchema<{ text: string }>({
        type: 'object',
        properties: { text: { type: 'string' } },
        required: ['text'],
      });
      server.registerTool('echo', { inputSchema }, ({ text }) => ({ content: [{ type: 'text', text }] }));
      return server;
    },
    { legacy },
  );
  const serve = toNodeHandler(handler);
  const server = createServer((request, response) => void serve(request as Parameters<typeof serve>[0], response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    target: { name: 'a', host: '127.0.0.1', port: portOf(server.address()), path: '/mcp' },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const info = { name: 'test', version: '1' };
const optionsOf = (gateway: GatewayRig) => ({
  requestInit: { headers: { authorization: `Bearer ${gateway.token('me')}` } },
});

/** The clients of the SDK, by era. Their types do not support exactOptionalPropertyTypes. */
const clients = {
  async '2024-11-05 at /sse'(gateway: GatewayRig) {
    const client = new Client(info);
    const transport = new SSEClientTransport(new URL(`${gateway.url}/sse`), optionsOf(gateway));
    await client.connect(transport as Parameters<Client['connect']>[0]);
    return client;
  },
  async '2025-11-25 at /mcp'(gateway: GatewayRig) {
    const client = new Client(info);
    const transport = new StreamableHTTPClientTransport(new URL(`${gateway.url}/mcp`), optionsOf(gateway));
    await client.connect(transport as Parameters<Client['connect']>[0]);
    return client;
  },
  async '2026-07-28 at /mcp'(gateway: GatewayRig) {
    const client = new NewClient(info, { versionNegotiation: { mode: { pin: '2026-07-28' } } });
    await client.connect(new NewTransport(new URL(`${gateway.url}/mcp`), optionsOf(gateway)));
    return client;
  },
};

for (const [era, connect] of Object.entries(clients)) {
  it.each([
    ['2026-07-28 alone', 'reject'],
    ['every revision', 'stateless'],
  ] as const)(`the SDK client of ${era} uses a server of the SDK that speaks %s`, async (_, legacy) => {
    await using server = await startServer(legacy);
    await using gateway = await startGateway({ list: 'filtered' });
    gateway.config.putTarget(server.target);
    gateway.config.allow('n.p', 'me', 'tool', 'a:echo');
    const client = await connect(gateway);
    expect((await client.listTools()).tools.map(({ name }) => name)).toEqual(['a:echo']);
    const call = { name: 'a:echo', arguments: { text: 'hello' } };
    expect((await client.callTool(call)).content).toEqual([{ type: 'text', text: 'hello' }]);
    gateway.config.removeConfig('n.p');
    await expect(client.callTool(call)).rejects.toThrow('Unknown tool');
    await client.close();
  });
}
