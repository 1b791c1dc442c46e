import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { Clock, Stop } from '../../edges.ts';
import { eventStreamHeaders, keepAlive, keepAliveInterval } from '../../net/sse.ts';
import { at, every } from '../../net/timers.ts';
import type { Caller } from '../model.ts';

/** An open stream of server-sent events. */
export interface EventStream {
  /** Writes whole events. Closes the connection instead when more than {@link maxBacklogBytes} are unread. */
  write(events: string | Uint8Array): void;
  /** Ends the stream. Closes the connection when the client has not read the rest after {@link flushTimeout}. */
  end(): void;
}

/** The response to stream to, with its settings. */
export interface EventStreamParts {
  readonly response: ServerResponse;
  readonly headers?: OutgoingHttpHeaders;
  readonly clock: Clock;
  /** The sender of the request. */
  readonly caller: Caller;
  /** `token`: the stream ends when the caller's token expires. `answers`: only by {@link EventStream.end}. */
  readonly lifetime: 'token' | 'answers';
  /** Called once, when the stream has ended for any reason. */
  readonly closed: () => void;
}

/** The largest backlog of a client that does not read, in addition to the message that is being written: 8 MiB. */
export const maxBacklogBytes: number = 8 * 1024 * 1024;

/** Milliseconds. */
const flushTimeout = 5_000;

/** Responds to a request with an event stream. */
export function openEventStream({ response, headers, clock, caller, lifetime, closed }: EventStreamParts): EventStream {
  const write = (events: string | Uint8Array): void => {
    if (response.writableEnded || response.destroyed) return;
    if (response.writableLength > maxBacklogBytes) response.destroy();
    else response.write(events);
  };
  let stopFlushTimer: Stop = () => {};
  const end = (): void => {
    if (response.writableEnded || response.destroyed) return;
    response.end();
    stopFlushTimer = clock.after(flushTimeout, () => response.destroy());
  };
  const stopKeepAlive = every(clock, keepAliveInterval, () => write(keepAlive));
  const expires = caller.kind === 'principal' && lifetime === 'token';
  const stopExpiry = expires ? at(clock, caller.expiresAt, end) : () => {};

  response.once('close', () => {
    stopKeepAlive();
    stopExpiry();
    stopFlushTimer();
    closed();
  });
  response.writeHead(200, { ...headers, ...eventStreamHeaders });
  response.flushHeaders();
  return { write, end };
}
