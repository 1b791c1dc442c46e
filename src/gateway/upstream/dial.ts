import { within } from '../../net/deadline.ts';
import { targetUrl } from '../network/target-url.ts';
import { errorCode, RpcError } from '../rpc/rpc-error.ts';
import { AnswerLimitError } from './answer-limits.ts';
import { connect } from './connection.ts';
import { FloodError } from './flood-guard.ts';
import type { Connection, Lost, TransportKind, UpstreamParts } from './model.ts';
import { connectStateless } from './stateless-connection.ts';
import { connectExtended } from './tasks/task-adapter.ts';
import { HttpStatusError } from './transport/http-exchange.ts';

/** In the order in which an unknown target is tried, after the one that its client would use. */
const kinds: readonly TransportKind[] = ['streamable-http', 'stateless-http', 'http-sse'];

/**
 * Milliseconds in which an unknown target may say that it speaks MCP 2026-07-28, before the others are tried beside
 * that question: one of earlier revisions may be silent.
 */
const probeTime = 3_000;

/** How a target was connected to. */
interface Dialled {
  readonly transport: TransportKind;
  readonly connection: Connection;
}

/**
 * Connects to a target in the way that worked last, and falls back to the others when the target does not support it.
 * One that speaks both eras is spoken with in that of the client: in a session it can ask an earlier client for
 * something, and what it asks a client of MCP 2026-07-28 has its own state. 400, 404 and 405 mean that it speaks MCP
 * 2026-07-28 only, or HTTP+SSE (MCP 2025-11-25, Transports, Backwards Compatibility).
 *
 * @param lost see {@link connect}
 */
export async function dial(parts: UpstreamParts, lost: Lost, signal: AbortSignal): Promise<Connection> {
  const { memory, clock, input } = parts;
  const url = targetUrl(parts.target);
  if (url === undefined) throw new Error('host, port and path of the target make no URL');
  if (clock.monotonic() < memory.refusedUntil) throw new FloodError();
  const open: Open = (transport, ownLost, until) => {
    const connectAs = (own: UpstreamParts, isLost: Lost): Promise<Connection> =>
      connect({ transport, url }, own, isLost, until);
    if (transport === 'stateless-http') return connectStateless(connectAs, parts, ownLost);
    return input === 'passed on' ? connectExtended(connectAs, parts, ownLost) : connectAs(parts, ownLost);
  };
  const preferred = input === 'passed on' ? 'stateless-http' : 'streamable-http';
  const known = memory.transports.get(preferred);
  const inOrder = (order: readonly TransportKind[], ownLost: Lost, until: AbortSignal): Promise<Dialled> =>
    dialInOrder(order, (transport) => open(transport, ownLost, until));
  const first = known ?? preferred;
  const others = kinds.filter((kind) => kind !== first);
  try {
    const { transport, connection } = await (known === undefined && preferred === 'stateless-http'
      ? probe({ open, inOrder, others, clock }, lost, signal)
      : inOrder([first, ...others], lost, signal));
    memory.transports.set(preferred, transport);
    return connection;
  } catch (error) {
    if (error instanceof NoneWorks) memory.transports.delete(preferred);
    throw error;
  }
}

type Open = (transport: TransportKind, lost: Lost, signal: AbortSignal) => Promise<Connection>;

class NoneWorks extends Error {
  override readonly name = 'NoneWorks';
}

/** Tries one after the other as long as the target says that it speaks otherwise. */
async function dialInOrder(
  order: readonly TransportKind[],
  open: (transport: TransportKind) => Promise<Connection>,
): Promise<Dialled> {
  let cause: unknown;
  for (const transport of order) {
    try {
      return { transport, connection: await open(transport) };
    } catch (error) {
      cause = error;
      if (isUnsupported(error, transport)) continue;
      if (transport === order[0]) throw error;
      break;
    }
  }
  throw new NoneWorks(`none of ${kinds.join(', ')} works`, { cause });
}

/** What {@link probe} connects with. */
interface ProbeParts extends Pick<UpstreamParts, 'clock'> {
  readonly open: Open;
  readonly inOrder: (order: readonly TransportKind[], lost: Lost, signal: AbortSignal) => Promise<Dialled>;
  readonly others: readonly TransportKind[];
}

/**
 * Asks an unknown target for MCP 2026-07-28, and beside that for the others when it is slow: the first answer counts.
 */
async function probe({ open, inOrder, others, clock }: ProbeParts, lost: Lost, signal: AbortSignal): Promise<Dialled> {
  const stateless = attempt(lost, signal, async (ownLost, until) => {
    return { transport: 'stateless-http', connection: await open('stateless-http', ownLost, until) };
  });
  const early = stateless.dialled.catch((error: unknown) => {
    if (isOffence(error)) throw error;
    return undefined;
  });
  const found = await within({ clock, milliseconds: probeTime, signal }, () => early).catch((error: unknown) => {
    if (signal.aborted || isOffence(error)) throw error;
    return undefined;
  });
  if (found !== undefined) return found;
  const rest = attempt(lost, signal, (ownLost, until) => inOrder(others, ownLost, until));
  const both = [rest, stateless];
  try {
    const winner = await Promise.any(both.map(({ dialled }) => dialled));
    for (const { isOf, giveUp } of both) if (!isOf(winner)) giveUp();
    return winner;
  } catch {
    return rest.dialled;
  }
}

/** One of two attempts, of which the other may be first. */
function attempt(lost: Lost, signal: AbortSignal, run: (lost: Lost, signal: AbortSignal) => Promise<Dialled>) {
  const ended = new AbortController();
  let result: Dialled | undefined;
  const ownLost: Lost = (reason) => {
    if (!ended.signal.aborted) lost(reason);
  };
  const dialled = run(ownLost, AbortSignal.any([signal, ended.signal])).then((found) => {
    result = found;
    if (ended.signal.aborted) void found.connection.close(new Error('another transport was first'));
    return found;
  });
  dialled.catch(() => {});
  return {
    dialled,
    isOf: (found: Dialled) => result === found,
    /** Ends it, whether it has connected or not. */
    giveUp() {
      ended.abort(new Error('another transport was first'));
      void result?.connection.close(new Error('another transport was first'));
    },
  };
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
