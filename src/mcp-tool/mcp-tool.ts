import { toNodeHandler } from '@modelcontextprotocol/node';
import { createMcpHandler } from '@modelcontextprotocol/server';
import { formatHostPort } from '../net/host-port.ts';
import { openLimitedListener } from '../net/listener/limited-listener.ts';
import { allowAnyAddress, allowPublicAddresses } from './fetch/address-policy.ts';
import { systemResolve } from './fetch/guarded-lookup.ts';
import { createRequestBodies } from './http/request-body.ts';
import { createRequestListener } from './http/routes.ts';
import { createSseSessions, sseProtocolVersions } from './http/sse-sessions.ts';
import type { Limits, McpToolEdges, McpToolOptions, RunningMcpTool } from './model.ts';
import { createToolServer, type ToolServerParts } from './tool-server.ts';
import { createUriConverter } from './uri-converter.ts';

export { ListenError } from '../net/listener/http-listener.ts';

const mebibyte = 1024 * 1024;

/** Large enough for documents that people read, small beside the memory of a container. */
export const defaultLimits: Limits = {
  downloadBytes: 16 * mebibyte,
  unpackedBytes: 64 * mebibyte,
  requestBytes: 8 * mebibyte,
  timeoutMilliseconds: 30_000,
  memoryMebibytes: 512,
  concurrentConversions: 4,
  sseSessions: 256,
  unreadBytes: 64 * mebibyte,
};

/**
 * Starts the sample MCP server with the tool `convert_to_markdown`: Streamable HTTP at `/mcp` (every revision since
 * 2025-03-26, stateless) and HTTP+SSE at `/sse` (2024-11-05).
 *
 * @throws ListenError
 */
export async function startMcpTool(options: McpToolOptions, edges: McpToolEdges): Promise<RunningMcpTool> {
  const { log, clock, resolve = systemResolve } = edges;
  const { version } = options;
  const limits = { ...defaultLimits, ...options.limits };
  const addressPolicy = options.allowPrivateAddresses ? allowAnyAddress : allowPublicAddresses;
  const userAgent = `gatehouse-mcp-tool/${version}`;
  const converter = createUriConverter({ limits, resolve, addressPolicy, userAgent }, clock);
  const serving: ToolServerParts = { converter, version, log };
  const handler = createMcpHandler(() => createToolServer(serving), {
    onerror: (error) => log.debug('streamable HTTP', { error }),
    maxRequestBodySize: limits.requestBytes,
  });
  const bodies = createRequestBodies(limits.requestBytes);
  const routes = {
    bodies,
    streamable: toNodeHandler(handler, { maxRequestBodySize: limits.requestBytes }),
    sse: createSseSessions(() => createToolServer(serving, sseProtocolVersions), { limits, bodies, clock, log }),
  };
  const { address, close } = await openLimitedListener(
    options,
    ({ host }) => createRequestListener(routes, { host, allowedHosts: options.allowedHosts ?? [] }, log),
    {
      listener: 'mcp',
      purpose: 'MCP (--host, --port)',
      limits: { keptRequests: undefined },
      certificate: undefined,
      clock,
      log,
    },
  );
  log.info('listening', { listener: 'mcp', address: formatHostPort(address) });
  return {
    address,
    stop: async () => {
      await Promise.all([close(), converter.stop(), handler.close()]);
    },
  };
}
