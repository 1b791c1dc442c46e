import type { Stop } from '../../edges.ts';
import { Deadline, DeadlineExceededError, untilAborted, within } from '../../net/deadline.ts';
import type { Params, Result } from '../rpc/model.ts';
import { perRequestVersionKey } from '../rpc/protocol.ts';
import { errorCode, RpcError } from '../rpc/rpc-error.ts';
import { changed } from '../rpc/source-text.ts';
import { dial } from './dial.ts';
import type { Connection, Exchange, Lost, PassedHeaders, UpstreamParts, UpstreamSession } from './model.ts';
import { createReopening } from './reopening.ts';
import { HttpStatusError } from './transport/http-exchange.ts';

/** Milliseconds for connecting and the handshake. */
const connectTimeout = 10_000;

/** Creates a session with a target; see {@link UpstreamSession}. Connects on the first request. */
export function createUpstreamSession(parts: UpstreamParts): UpstreamSession {
  const { circuit } = parts;
  const closed = new AbortController();
  const times = createRequestTimes(parts);
  const connections = createConnections({ ...parts, ...times.events }, closed.signal);

  /** What a client has cancelled says nothing of the target; a time limit of the gateway does. */
  const noteFailure = (error: unknown, signal: AbortSignal): void => {
    const isCancelled = signal.aborted && !(signal.reason instanceof DeadlineExceededError);
    if (!isCancelled && !closed.signal.aborted) circuit.failed(error, false);
  };

  const requestWithin = async (
    connected: Connection,
    { method, params, exchange }: Outgoing,
    signal: AbortSignal,
  ): Promise<Result> => {
    const time = times.start(method, params, signal);
    try {
      return await connected.request(method, params, time.signal, exchange);
    } catch (error) {
      // The caller may have a limit of its own.
      if (signal.aborted || !(error instanceof DeadlineExceededError)) throw error;
      const { milliseconds, flag } = parts.requestTimeout(method);
      throw new DeadlineExceededError(milliseconds, flag);
    } finally {
      time.stop();
    }
  };

  /** Mostly there is a connection, and nothing to wait for. */
  const connection = (signal: AbortSignal): Connection | Promise<Connection> => {
    const found = connections.get();
    return found instanceof Promise ? untilAborted(signal, found) : found;
  };

  return {
    target: parts.target.name,
    async request(method, clientParams, signal, exchange): Promise<Result> {
      const outgoing = { method, params: withoutVersion(clientParams), exchange };
      const connected = await connection(signal);
      try {
        return await requestWithin(connected, outgoing, signal);
      } catch (error) {
        noteFailure(error, signal);
        if (!isSessionUnknown(error)) throw error;
        connections.forget(connected);
        void connected.close(new Error('the target no longer knows this session'));
        return requestWithin(await connection(signal), outgoing, signal);
      }
    },
    notify(method, params) {
      void connections
        .opened()
        ?.then((connected) => connected.notify(method, params))
        .catch(() => {});
    },
    async capabilities(signal) {
      return (await connection(signal)).handshake.capabilities;
    },
    async close(reason) {
      closed.abort(reason);
      const last = await connections.opened()?.catch(() => undefined);
      if (last === undefined) return;
      connections.forget(last);
      await last.close(reason);
    },
  };
}

/** The connection of a session, and the next one when that is lost. */
interface Connections {
  /** Returns the connection, or opens one when there is none. Rejects while the target cannot be reached. */
  get(): Connection | Promise<Connection>;
  /** The connection if there is one. */
  opened(): Promise<Connection> | undefined;
  /** Forgets a connection that is of no use any more, so that the next request opens another one. */
  forget(connection: Connection): void;
}

/** @param closed aborted when the session ends */
function createConnections(parts: UpstreamParts, closed: AbortSignal): Connections {
  const { clock, circuit } = parts;
  let current: Promise<Connection> | undefined;
  /** What {@link current} has resolved with. */
  let made: Connection | undefined;

  const drop = (connection: Promise<Connection>): void => {
    if (current !== connection) return;
    current = undefined;
    made = undefined;
  };

  const open = (isReopened: boolean): Promise<Connection> => {
    const limit = { clock, milliseconds: connectTimeout, signal: closed };
    const headers = parts.passedHeaders?.();
    const lost: Lost = (reason) => {
      drop(connection);
      reopening.failed(reason);
    };
    const connected = (found: Connection): void => {
      if (current === connection) made = found;
      reopening.connected();
      parts.connected(isReopened);
    };
    const failed = (error: unknown): void => {
      drop(connection);
      if (!closed.aborted) circuit.failed(error, saysNothingOfClient(headers, parts));
      reopening.failed(error);
    };
    const connection: Promise<Connection> = within(limit, async (signal) => {
      await parts.budget.connecting.next(parts.target.name);
      signal.throwIfAborted();
      return dial({ ...parts, headers }, lost, signal);
    });
    current = connection;
    made = undefined;
    connection.then(connected, failed);
    return connection;
  };

  const get = (isReopened: boolean): Connection | Promise<Connection> => {
    if (closed.aborted) return Promise.reject(closed.reason);
    if (circuit.refusal() !== undefined) return circuit.retry().then(() => get(isReopened));
    return made ?? current ?? open(isReopened);
  };

  const reopening = createReopening(parts, closed, async () => get(true));
  return {
    get: () => get(false),
    opened: () => current,
    forget(connection) {
      if (made === connection && current !== undefined) drop(current);
    },
  };
}

/** Limits the time of requests in flight, which progress extends. */
function createRequestTimes({ clock, requestTimeout, ...handlers }: UpstreamParts) {
  /** Gives a request more time, by its progress token. */
  const extensions = new Map<unknown, Stop>();
  /** The same for each request. */
  const all = new Set<Stop>();
  const extendAll = (): void => {
    for (const extend of all) extend();
  };
  const events: Pick<UpstreamParts, 'request' | 'notification'> = {
    // A target that waits for the client has not stopped working, and whose request it works on is not always known.
    request(incoming, about) {
      extendAll();
      return handlers.request(incoming, about).finally(extendAll);
    },
    notification(method, params, about) {
      if (method === 'notifications/progress') extensions.get(params?.['progressToken'])?.();
      handlers.notification(method, params, about);
    },
  };
  return {
    events,
    start(method: string, params: Params | undefined, signal: AbortSignal) {
      const deadline = new Deadline(clock, signal);
      const extend = (): void => deadline.set(requestTimeout(method).milliseconds);
      const token = params?._meta?.progressToken;
      if (token !== undefined) extensions.set(token, extend);
      all.add(extend);
      extend();
      return {
        signal: deadline.signal,
        stop() {
          deadline.release();
          extensions.delete(token);
          all.delete(extend);
        },
      };
    },
  };
}

/** A request to the target. */
interface Outgoing {
  readonly method: string;
  readonly params: Params | undefined;
  readonly exchange: Exchange | undefined;
}

/** Returns whether a handshake has no text that a client has chosen: headers that are passed on, and types of pages. */
function saysNothingOfClient(headers: PassedHeaders | undefined, { clientCapabilities }: UpstreamParts): boolean {
  return Object.keys(headers ?? {}).length === 0 && !Object.hasOwn(clientCapabilities, 'extensions');
}

/**
 * Removes the protocol version that a client names in a request: the one negotiated with the target applies, and the
 * SDK would turn this one into headers.
 */
function withoutVersion(params: Params | undefined): Params | undefined {
  if (params?._meta?.[perRequestVersionKey] === undefined) return params;
  return changed(params, [{ path: ['_meta', perRequestVersionKey] }]);
}

/**
 * Returns whether a target does not know the session, for example after its restart. That is HTTP 404 by the
 * specification; servers also send 400, 410 and others, with texts of their own. So it is any refusal of a request in a
 * session that says nothing of credentials or of load.
 */
function isSessionUnknown(error: unknown): boolean {
  // A target of MCP 2026-07-28 that was replaced by one of another revision.
  if (error instanceof RpcError && error.code === errorCode.unsupportedProtocolVersion) return true;
  // With status 200. The code alone says nothing: SDKs use it for time-outs, too.
  if (error instanceof RpcError) return error.code === errorCode.sessionNotFound && /session/i.test(error.message);
  if (!(error instanceof HttpStatusError)) return false;
  const { status, inSession } = error;
  return status === 404 || (inSession && status >= 400 && status < 500 && ![401, 403, 413, 429].includes(status));
}
