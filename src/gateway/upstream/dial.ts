import { SdkHttpError, SseError } from '@modelcontextprotocol/client';
import { targetUrl } from '../network/target-url.ts';
import { type Connection, connect } from './connection.ts';
import type { UpstreamParts, Wire } from './model.ts';

/**
 * Connects to a target over the wire that worked last, and where that is refused over the other one. Unknown targets are
 * tried with Streamable HTTP first, and with HTTP+SSE when that is answered with 400, 404 or 405 (MCP 2025-11-25, Transports,
 * Backwards Compatibility).
 */
export async function dial(parts: UpstreamParts, lost: () => void, signal: AbortSignal): Promise<Connection> {
  const { verdict } = parts;
  const url = targetUrl(parts.target);
  if (url === undefined) throw new Error('host, port and path of the target make no URL');
  const first: Wire = verdict.wire ?? 'streamable-http';
  const second: Wire = first === 'streamable-http' ? 'http-sse' : 'streamable-http';
  try {
    const connection = await connect({ wire: first, url }, parts, lost, signal);
    verdict.wire = first;
    return connection;
  } catch (error) {
    if (!refusesWire(error)) throw error;
    try {
      const connection = await connect({ wire: second, url }, parts, lost, signal);
      verdict.wire = second;
      return connection;
    } catch (secondError) {
      verdict.wire = undefined;
      throw new Error(`neither ${first} nor ${second} works`, { cause: secondError });
    }
  }
}

/** Whether the target answered in a way that says: not like this. */
function refusesWire(error: unknown): boolean {
  if (error instanceof SdkHttpError) return [400, 404, 405].includes(error.status);
  // Opening a stream where there is none, and a stream that is not one.
  return error instanceof SseError && error.code !== undefined && error.code < 500 && ![401, 403].includes(error.code);
}
