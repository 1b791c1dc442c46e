import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { Clock, Stop } from '../../edges.ts';
import { at, every } from '../../net/timers.ts';
import type { Caller } from '../model.ts';

/** An open stream of server-sent events. */
export interface EventStream {
  /** Writes whole events. A reader that has left more than {@link maxBacklogBytes} unread is cut off instead. */
  write(events: string | Uint8Array): void;
  /** Ends the stream after what was written, which the reader has {@link lastReadMilliseconds} to read. */
  end(): void;
}

export interface EventStreamParts {
  readonly response: ServerResponse;
  readonly headers?: OutgoingHttpHeaders;
  readonly clock: Clock;
  /** Whose stream it is; it ends when that caller's token expires. */
  readonly caller: Caller;
  /** Called once, when the stream has ended for whatever reason. */
  readonly closed: () => void;
}

/** Proxies close what is silent; the deployed gateways keep their streams awake in the same rhythm. */
const keepAliveMilliseconds = 15_000;

/** What may wait for a reader that does not read, beside the one message that is just being written. */
export const maxBacklogBytes: number = 8 * 1024 * 1024;

const lastReadMilliseconds = 5_000;

/** Answers a request with a stream of events. */
export function openEventStream({ response, headers, clock, caller, closed }: EventStreamParts): EventStream {
  const write = (events: string | Uint8Array): void => {
    if (response.writableEnded || response.destroyed) return;
    if (response.writableLength > maxBacklogBytes) response.destroy();
    else response.write(events);
  };
  let stopWaiting: Stop = () => {};
  const end = (): void => {
    if (response.writableEnded || response.destroyed) return;
    response.end();
    stopWaiting = clock.after(lastReadMilliseconds, () => response.destroy());
  };
  const stopKeepAlive = every(clock, keepAliveMilliseconds, () => write(': keep-alive\n\n'));
  const stopExpiry = caller.kind === 'principal' ? at(clock, caller.expiresAt, end) : () => {};

  response.once('close', () => {
    stopKeepAlive();
    stopExpiry();
    stopWaiting();
    closed();
  });
  response.writeHead(200, {
    ...headers,
    'content-type': 'text/event-stream',
    'cache-control': 'no-cache, no-transform',
    'x-accel-buffering': 'no',
  });
  response.flushHeaders();
  return { write, end };
}
