import { targetUrl } from '../network/target-url.ts';
import { type Connection, connect } from './connection.ts';
import { FloodError } from './flood-guard.ts';
import type { TransportKind, UpstreamParts } from './model.ts';
import { HttpStatusError } from './transport/http-exchange.ts';

/**
 * Connects to a target with the transport that worked last, and falls back to the other one when the target does not
 * support it. An unknown target is probed with Streamable HTTP first; 400, 404 and 405 mean that it speaks HTTP+SSE
 * (MCP 2025-11-25, Transports, Backwards Compatibility).
 *
 * @param lost see {@link connect}
 */
export async function dial(parts: UpstreamParts, lost: () => void, signal: AbortSignal): Promise<Connection> {
  const { memory, clock } = parts;
  const url = targetUrl(parts.target);
  if (url === undefined) throw new Error('host, port and path of the target make no URL');
  if (clock.now() < memory.refusedUntil) throw new FloodError();
  const first: TransportKind = memory.transport ?? 'streamable-http';
  const second: TransportKind = first === 'streamable-http' ? 'http-sse' : 'streamable-http';
  try {
    const connection = await connect({ transport: first, url }, parts, lost, signal);
    memory.transport = first;
    return connection;
  } catch (error) {
    if (!isTransportUnsupported(error, first)) throw error;
    try {
      const connection = await connect({ transport: second, url }, parts, lost, signal);
      memory.transport = second;
      return connection;
    } catch (secondError) {
      memory.transport = undefined;
      throw new Error(`neither ${first} nor ${second} works`, { cause: secondError });
    }
  }
}

/** 400, 404 and 405 for a POST; any refusal of a GET but those of the credentials, or no event stream. */
function isTransportUnsupported(error: unknown, tried: TransportKind): boolean {
  if (!(error instanceof HttpStatusError)) return false;
  if (tried === 'streamable-http') return [400, 404, 405].includes(error.status);
  return error.status < 500 && ![401, 403].includes(error.status);
}
