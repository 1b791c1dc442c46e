import { targetUrl } from '../network/target-url.ts';
import { errorCode, RpcError } from '../rpc/rpc-error.ts';
import { connect } from './connection.ts';
import { FloodError } from './flood-guard.ts';
import type { Connection, TransportKind, UpstreamParts } from './model.ts';
import { connectStateless } from './stateless-connection.ts';
import { HttpStatusError } from './transport/http-exchange.ts';

/** In the order in which an unknown target is tried. */
const kinds: readonly TransportKind[] = ['streamable-http', 'stateless-http', 'http-sse'];

/**
 * Connects to a target in the way that worked last, and falls back to the others when the target does not support it. An
 * unknown target is asked for a handshake with Streamable HTTP first: in a session, it can ask the client for something,
 * which is why one that speaks both eras is spoken with in that of the handshake. 400, 404 and 405 mean that it speaks
 * MCP 2026-07-28 only, or HTTP+SSE (MCP 2025-11-25, Transports, Backwards Compatibility).
 *
 * @param lost see {@link connect}
 */
export async function dial(parts: UpstreamParts, lost: () => void, signal: AbortSignal): Promise<Connection> {
  const { memory, clock } = parts;
  const url = targetUrl(parts.target);
  if (url === undefined) throw new Error('host, port and path of the target make no URL');
  if (clock.now() < memory.refusedUntil) throw new FloodError();
  const first = memory.transport ?? 'streamable-http';
  let cause: unknown;
  for (const transport of [first, ...kinds.filter((kind) => kind !== first)]) {
    const open = (own: UpstreamParts, ownLost: () => void) => connect({ transport, url }, own, ownLost, signal);
    try {
      const connection = await (transport === 'stateless-http'
        ? connectStateless(open, parts, lost)
        : open(parts, lost));
      memory.transport = transport;
      return connection;
    } catch (error) {
      cause = error;
      if (!isUnsupported(error, transport)) {
        if (transport === first) throw error;
        break;
      }
    }
  }
  memory.transport = undefined;
  throw new Error(`none of ${kinds.join(', ')} works`, { cause });
}

/** Returns whether a failure says that the target speaks otherwise. */
function isUnsupported(error: unknown, tried: TransportKind): boolean {
  if (error instanceof RpcError) return tried === 'stateless-http' || otherEra.includes(error.code);
  if (!(error instanceof HttpStatusError)) return false;
  if (tried === 'streamable-http') return [400, 404, 405].includes(error.status);
  // Any refusal but those of the credentials, or no event stream.
  return error.status < 500 && ![401, 403].includes(error.status);
}

/** What a target of MCP 2026-07-28 may answer to `initialize` with status 200. */
const otherEra: readonly number[] = [errorCode.methodNotFound, errorCode.unsupportedProtocolVersion];
