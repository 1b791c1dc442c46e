import { within } from '../../net/deadline.ts';
import { targetUrl } from '../network/target-url.ts';
import { errorCode, RpcError } from '../rpc/rpc-error.ts';
import { AnswerLimitError } from './answer-limits.ts';
import { connect } from './connection.ts';
import { FloodError } from './flood-guard.ts';
import type { Connection, TransportKind, UpstreamParts } from './model.ts';
import { connectStateless } from './stateless-connection.ts';
import { connectExtended } from './task-adapter.ts';
import { HttpStatusError } from './transport/http-exchange.ts';

/** In the order in which an unknown target is tried, after the one that its client would use. */
const kinds: readonly TransportKind[] = ['streamable-http', 'stateless-http', 'http-sse'];

/** Milliseconds that an unknown target has to say that it speaks MCP 2026-07-28; one of earlier revisions may be silent. */
const probeTime = 3_000;

/**
 * Connects to a target in the way that worked last, and falls back to the others when the target does not support it. One
 * that speaks both eras is spoken with in that of the client: in a session it can ask an earlier client for something,
 * and what it asks a client of MCP 2026-07-28 has its own state. 400, 404 and 405 mean that it speaks MCP 2026-07-28
 * only, or HTTP+SSE (MCP 2025-11-25, Transports, Backwards Compatibility).
 *
 * @param lost see {@link connect}
 */
export async function dial(parts: UpstreamParts, lost: () => void, signal: AbortSignal): Promise<Connection> {
  const { memory, clock, input } = parts;
  const url = targetUrl(parts.target);
  if (url === undefined) throw new Error('host, port and path of the target make no URL');
  if (clock.now() < memory.refusedUntil) throw new FloodError();
  const preferred = input === 'passed on' ? 'stateless-http' : 'streamable-http';
  const first = memory.transports.get(preferred) ?? preferred;
  const probed = preferred === 'stateless-http' && !memory.transports.has(preferred) ? preferred : undefined;
  let cause: unknown;
  for (const transport of [first, ...kinds.filter((kind) => kind !== first)]) {
    const limit = { clock, milliseconds: probeTime, signal };
    const open = (own: UpstreamParts, ownLost: () => void): Promise<Connection> =>
      transport === probed
        ? within(limit, (until) => connect({ transport, url }, own, ownLost, until))
        : connect({ transport, url }, own, ownLost, signal);
    try {
      const connection = await (transport === 'stateless-http'
        ? connectStateless(open, parts, lost)
        : input === 'passed on'
          ? connectExtended(open, parts, lost)
          : open(parts, lost));
      memory.transports.set(preferred, transport);
      return connection;
    } catch (error) {
      cause = error;
      if (isUnsupported(error, transport) || (transport === probed && !isOffence(error))) continue;
      if (transport === (probed === undefined ? first : 'streamable-http')) throw error;
      break;
    }
  }
  memory.transports.delete(preferred);
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

/** Such a target is not tried in another way. */
function isOffence(error: unknown): boolean {
  return error instanceof FloodError || error instanceof AnswerLimitError;
}

/** What a target of MCP 2026-07-28 may answer to `initialize` with status 200. */
const otherEra: readonly number[] = [errorCode.methodNotFound, errorCode.unsupportedProtocolVersion];
