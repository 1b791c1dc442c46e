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
  /** The sender of the request. The stream ends when the caller's token expires. */
  readonly caller: Caller;
  /** Called once, when the stream has ended for any reason. */
  readonly closed: () => void;
}

/** The largest backlog of a client that does not read, in addition to the message that is being written: 8 MiB. */
export const maxBacklogBytes: number = 8 * 1024 * 1024;

/** Milliseconds. */
const flushTimeout = 5_000;

/** Responds to a request with an event stream. */
export function openEventStream({ response, headers, clock, caller, closed }: EventStreamParts): EventStream {
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
  const stopExpiry = caller.kind === 'principal' ? at(clock, caller.expiresAt, end) : () => {};

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

/**
 * Sends the response of a web-standard handler. Reads an event stream without backpressure, so that only one buffer
 * holds what the client has not read: the bounded one of {@link EventStream}, and not that of the web stream.
 */
export async function sendWebResponse(
  webResponse: Response,
  to: { readonly response: ServerResponse; readonly clock: Clock; readonly caller: Caller },
): Promise<void> {
  const { response } = to;
  const headers = Object.fromEntries(webResponse.headers);
  const { body, status } = webResponse;
  if (body === null || !(headers['content-type'] ?? '').startsWith('text/event-stream')) {
    const text = await webResponse.text();
    response.writeHead(status, headers).end(text);
    return;
  }
  const reader = body.getReader();
  const closed = (): void => void reader.cancel().catch(() => {});
  if (response.destroyed) return closed();
  const stream = openEventStream({ ...to, headers, closed });
  for (let next = await reader.read(); !next.done; next = await reader.read()) stream.write(next.value);
  stream.end();
}
