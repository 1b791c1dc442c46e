import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { SSEClientTransport } from '@modelcontextprotocol/sdk/client/sse.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { systemClock } from '../../../src/cli/system-clock.ts';
import { startMcpTool } from '../../../src/mcp-tool/mcp-tool.ts';
import type { McpToolEdges, McpToolOptions } from '../../../src/mcp-tool/model.ts';
import { createRecordedLog, type RecordedLog } from '../../support/edges/recorded-log.ts';

/** The result of a tool call. */
export interface ToolResult {
  readonly text: string;
  readonly failed: boolean;
}

/** A running sample server, and clients of the official SDK for it. */
export interface RunningTool {
  readonly url: string;
  readonly port: number;
  readonly log: RecordedLog;
  /** Connects a client by Streamable HTTP (`/mcp`) or HTTP+SSE (`/sse`). */
  connect(path: '/mcp' | '/sse'): Promise<Client>;
  /** Calls the tool with a new client. */
  convert(uri: string): Promise<ToolResult>;
  stop(): Promise<void>;
}

/** Starts the server on a free loopback port. Fetching from private addresses is allowed by default. */
export async function runTool(
  options: Partial<McpToolOptions> = {},
  edges: Partial<McpToolEdges> = {},
): Promise<RunningTool> {
  const log = createRecordedLog();
  const tool = await startMcpTool(
    { host: '127.0.0.1', port: 0, allowPrivateAddresses: true, version: '1.2.3', ...options },
    { log, clock: systemClock, ...edges },
  );
  const url = `http://127.0.0.1:${tool.address.port}`;
  const clients: Client[] = [];
  const connect = async (path: '/mcp' | '/sse'): Promise<Client> => {
    const client = new Client({ name: 'test', version: '1' });
    clients.push(client);
    const address = new URL(path, url);
    // The types of SDK version 1 do not compile with exactOptionalPropertyTypes.
    if (path === '/sse') await client.connect(new SSEClientTransport(address));
    else await client.connect(new StreamableHTTPClientTransport(address) as Parameters<Client['connect']>[0]);
    return client;
  };
  return {
    url,
    port: tool.address.port,
    log,
    connect,
    convert: async (uri) => callTool(await connect('/mcp'), uri),
    stop: async () => {
      await Promise.all(clients.map((client) => client.close()));
      await tool.stop();
    },
  };
}

/** Calls the tool; returns its one text item, and whether the result is an error. */
export async function callTool(client: Client, uri: unknown): Promise<ToolResult> {
  const result = await client.callTool({ name: 'convert_to_markdown', arguments: { uri } });
  if (!Array.isArray(result.content) || result.content.length !== 1) throw new Error('one content item is expected');
  return { text: String(result.content[0]?.text), failed: result.isError === true };
}
