import type { Stop } from '../../edges.ts';
import { Deadline, untilAborted, within } from '../../net/deadline.ts';
import type { Params, Result } from '../rpc/model.ts';
import { perRequestVersionKey } from '../rpc/protocol.ts';
import { errorCode, RpcError } from '../rpc/rpc-error.ts';
import { changed } from '../rpc/source-text.ts';
import type { Connection } from './connection.ts';
import { dial } from './dial.ts';
import type { UpstreamParts, UpstreamSession } from './model.ts';
import { HttpStatusError } from './transport/http-exchange.ts';

/** Milliseconds for connecting and the handshake. */
const connectTimeout = 10_000;

/** Creates a session with a target; see {@link UpstreamSession}. Connects on the first request. */
export function createUpstreamSession(parts: UpstreamParts): UpstreamSession {
  const { clock, requestTimeout } = parts;
  const closed = new AbortController();
  let current: Promise<Connection> | undefined;
  /** Gives a request in flight more time, by its progress token. */
  const extensions = new Map<unknown, Stop>();
  const notification: UpstreamParts['notification'] = (method, params) => {
    if (method === 'notifications/progress') extensions.get(params?.['progressToken'])?.();
    parts.notification(method, params);
  };

  const forget = (connection: Promise<Connection>): void => {
    if (current === connection) current = undefined;
  };

  const open = (): Promise<Connection> => {
    const limit = { clock, milliseconds: connectTimeout, signal: closed.signal };
    const connection: Promise<Connection> = within(limit, (signal) =>
      dial({ ...parts, notification }, () => forget(connection), signal),
    );
    current = connection;
    connection.then(parts.connected, () => forget(connection));
    return connection;
  };

  const connection = (): Promise<Connection> =>
    closed.signal.aborted ? Promise.reject(closed.signal.reason) : (current ?? open());

  const requestWithin = async (
    { peer }: Connection,
    method: string,
    params: Params | undefined,
    signal: AbortSignal,
  ): Promise<Result> => {
    const deadline = new Deadline(clock, signal);
    const extend = (): void => deadline.set(requestTimeout);
    const token = params?._meta?.progressToken;
    if (token !== undefined) extensions.set(token, extend);
    extend();
    try {
      return await peer.request(method, params, deadline.signal);
    } finally {
      deadline.release();
      extensions.delete(token);
    }
  };

  return {
    async request(method, clientParams, signal): Promise<Result> {
      const params = withoutVersion(clientParams);
      const used = connection();
      const connected = await untilAborted(signal, used);
      try {
        return await requestWithin(connected, method, params, signal);
      } catch (error) {
        if (!isSessionUnknown(error)) throw error;
        forget(used);
        void connected.close(new Error('the target no longer knows this session'));
        return requestWithin(await untilAborted(signal, connection()), method, params, signal);
      }
    },
    async capabilities(signal) {
      return (await untilAborted(signal, connection())).capabilities;
    },
    async close(reason) {
      closed.abort(reason);
      const last = await current?.catch(() => undefined);
      current = undefined;
      await last?.close(reason);
    },
  };
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
  // With status 200. The code alone says nothing: SDKs use it for time-outs, too.
  if (error instanceof RpcError) return error.code === errorCode.sessionNotFound && /session/i.test(error.message);
  if (!(error instanceof HttpStatusError)) return false;
  const { status, inSession } = error;
  return status === 404 || (inSession && status >= 400 && status < 500 && ![401, 403, 413, 429].includes(status));
}
