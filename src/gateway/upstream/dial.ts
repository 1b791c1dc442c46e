import { SdkHttpError, SseError } from '@modelcontextprotocol/client';
import { targetUrl } from '../network/target-url.ts';
import { type Connection, connect } from './connection.ts';
import type { TransportKind, UpstreamParts } from './model.ts';

/**
 * Connects to a target with the transport that worked last, and falls back to the other one when the target does not
 * support it. An unknown target is probed with Streamable HTTP first; 400, 404 and 405 mean that it speaks HTTP+SSE
 * (MCP 2025-11-25, Transports, Backwards Compatibility).
 *
 * @param lost see {@link connect}
 */
export async function dial(parts: UpstreamParts, lost: () => void, signal: AbortSignal): Promise<Connection> {
  const { hint } = parts;
  const url = targetUrl(parts.target);
  if (url === undefined) throw new Error('host, port and path of the target make no URL');
  const first: TransportKind = hint.transport ?? 'streamable-http';
  const second: TransportKind = first === 'streamable-http' ? 'http-sse' : 'streamable-http';
  try {
    const connection = await connect({ transport: first, url }, parts, lost, signal);
    hint.transport = first;
    return connection;
  } catch (error) {
    if (!isTransportUnsupported(error)) throw error;
    try {
      const connection = await connect({ transport: second, url }, parts, lost, signal);
      hint.transport = second;
      return connection;
    } catch (secondError) {
      hint.transport = undefined;
      throw new Error(`neither ${first} nor ${second} works`, { cause: secondError });
    }
  }
}

function isTransportUnsupported(error: unknown): boolean {
  if (error instanceof SdkHttpError) return [400, 404, 405].includes(error.status);
  // The response to GET was an error, or no event stream.
  return error instanceof SseError && error.code !== undefined && error.code < 500 && ![401, 403].includes(error.code);
}
