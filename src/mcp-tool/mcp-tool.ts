import { toNodeHandler } from '@modelcontextprotocol/node';
import { createMcpHandler } from '@modelcontextprotocol/server';
import { anyAddress, publicAddress } from './fetch/address-policy.ts';
import { createUriConverter } from './uri-converter.ts';
import { systemResolve } from './fetch/guarded-lookup.ts';
import { createRequestListener, type Routes } from './http/routes.ts';
import { defaultLimits } from './limits.ts';
import { hostAndPort, listen } from './http/listen.ts';
import type { McpToolEdges, McpToolOptions, RunningMcpTool } from './model.ts';
import { createSseSessions, sseProtocolVersions } from './http/sse-sessions.ts';
import { createToolServer, type ToolServing } from './tool-server.ts';

export { ListenError } from './http/listen.ts';

/**
 * Starts the sample MCP server: the tool `convert_to_markdown`, by Streamable HTTP at `/mcp` (every revision since
 * 2025-03-26, without sessions) and by HTTP+SSE at `/sse` (2024-11-05). Rejects with a ListenError.
 */
export async function startMcpTool(options: McpToolOptions, edges: McpToolEdges): Promise<RunningMcpTool> {
  const { log, clock, resolve = systemResolve } = edges;
  const { version } = options;
  const limits = { ...defaultLimits, ...options.limits };
  const rule = options.allowPrivateAddresses ? anyAddress : publicAddress;
  const userAgent = `gatehouse-mcp-tool/${version}`;
  const converter = createUriConverter({ limits, resolve, rule, userAgent }, clock);
  const serving: ToolServing = { converter, version, log };
  const handler = createMcpHandler(() => createToolServer(serving), {
    onerror: (error) => log.debug('streamable HTTP', { error }),
    maxRequestBodySize: limits.requestBytes,
  });
  const routes: Routes = {
    streamable: toNodeHandler(handler, { maxRequestBodySize: limits.requestBytes }),
    sse: createSseSessions(() => createToolServer(serving, sseProtocolVersions), { limits, clock, log }),
  };
  const { host, port, stop } = await listen(options.host, options.port, (bound) =>
    createRequestListener(routes, { host: bound, allowedHosts: options.allowedHosts ?? [] }, log),
  );
  log.info('listening', { listener: 'mcp', address: hostAndPort(host, port) });
  return {
    address: { host, port },
    stop: async () => {
      await Promise.all([stop(), converter.stop(), handler.close()]);
    },
  };
}
