import { SdkHttpError } from '@modelcontextprotocol/client';
import { untilAborted, within } from '../../net/deadline.ts';
import type { Params, Result } from '../rpc/model.ts';
import { perRequestVersionKey } from '../rpc/protocol.ts';
import type { Connection } from './connection.ts';
import { dial } from './dial.ts';
import type { Upstream, UpstreamParts } from './model.ts';

/** A target has this long to accept a connection and shake hands. */
const connectMilliseconds = 10_000;

/** A session's way to a target; see {@link Upstream}. Nothing happens before the first request. */
export function createUpstream(parts: UpstreamParts): Upstream {
  const { clock } = parts;
  const closed = new AbortController();
  let current: Promise<Connection> | undefined;

  const forget = (connection: Promise<Connection>): void => {
    if (current === connection) current = undefined;
  };

  const open = (): Promise<Connection> => {
    const limit = { clock, milliseconds: connectMilliseconds, signal: closed.signal };
    const connection: Promise<Connection> = within(limit, (signal) => dial(parts, () => forget(connection), signal));
    current = connection;
    connection.then(parts.connected, () => forget(connection));
    return connection;
  };

  const opening = (): Promise<Connection> =>
    closed.signal.aborted ? Promise.reject(closed.signal.reason) : (current ?? open());

  return {
    async request(method, asked, signal): Promise<Result> {
      const params = withoutVersion(asked);
      const used = opening();
      const connection = await untilAborted(signal, used);
      try {
        return await connection.peer.request(method, params, signal);
      } catch (error) {
        if (!saysSessionIsGone(error)) throw error;
        forget(used);
        void connection.close(new Error('the target no longer knows this session'));
        return (await untilAborted(signal, opening())).peer.request(method, params, signal);
      }
    },
    async capabilities(signal) {
      return (await untilAborted(signal, opening())).capabilities;
    },
    async close(reason) {
      closed.abort(reason);
      const connection = await current?.catch(() => undefined);
      current = undefined;
      await connection?.close(reason);
    },
  };
}

/** The revision was agreed on with the target; the SDK would make headers of another one that a client names in a request. */
function withoutVersion(params: Params | undefined): Params | undefined {
  const { [perRequestVersionKey]: version, ...meta } = params?._meta ?? {};
  return version === undefined ? params : { ...params, _meta: meta };
}

/**
 * Whether the target does not know our session (any more), for example because it was restarted: HTTP 404 by the
 * specification, 400 with words to that effect from servers that are off it.
 */
function saysSessionIsGone(error: unknown): boolean {
  if (error instanceof SdkHttpError) {
    return error.status === 404 || (error.status === 400 && /session/i.test(error.message));
  }
  return error instanceof Error && /^Error POSTing to endpoint \(HTTP 404\)/.test(error.message);
}
