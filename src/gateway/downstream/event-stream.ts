import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { Clock, Logger } from '../../edges.ts';
import { type EventStream, EventStreams, type EventStreamTarget } from '../../net/event-streams.ts';
import { at } from '../../net/timers.ts';
import { LogThrottle } from '../../rate/log-throttle.ts';
import type { Caller, GatewayCounters } from '../model.ts';
import { callerKey } from './exchange-limit.ts';

/** The response to stream to, with its settings. */
export interface EventStreamParts {
  readonly streams: EventStreams;
  readonly clock: Clock;
  readonly response: ServerResponse;
  readonly headers?: OutgoingHttpHeaders;
  /** The sender of the request. The stream ends when the caller's token expires. */
  readonly caller: Caller;
  /** Called once, when the stream has ended for any reason. */
  readonly closed: () => void;
}

const mebibyte = 1024 * 1024;

/** Beside these bytes the gateway stays below 512 MiB. */
const limits = {
  maxUnread: 96 * mebibyte,
  // Room for the largest message of a target (32 MiB), and half of the bytes is left to other callers.
  share: 1 / 2,
};

/** Creates the event streams of all clients. Logs and counts those that are cut. */
export function createEventStreams(parts: {
  readonly clock: Clock;
  readonly log: Logger;
  readonly counters: GatewayCounters;
}): EventStreams {
  const { clock, log, counters } = parts;
  const throttle = new LogThrottle(clock, log);
  return new EventStreams({
    limits,
    clock,
    cut(reason, unread) {
      counters.count('gatehouse_gateway_event_streams_cut_total', { reason });
      const message = 'an event stream was closed because its client does not read it';
      throttle.failed(reason, { reason, message, fields: { unread } });
    },
  });
}

/** Responds to a request with an event stream. */
export function openEventStream({ streams, clock, caller, closed, ...target }: EventStreamParts): EventStream {
  const stream = streams.open({
    ...target,
    caller: callerKey(caller),
    closed() {
      stopExpiry();
      closed();
    },
  } satisfies EventStreamTarget);
  const stopExpiry = caller.kind === 'principal' ? at(clock, caller.expiresAt, () => stream.end()) : () => {};
  return stream;
}

/**
 * Sends the response of a web-standard handler. Reads an event stream without backpressure, so that only one buffer
 * holds what the client has not read: the bounded one of {@link EventStreams}, and not that of the web stream.
 */
export async function sendWebResponse(
  webResponse: Response,
  to: Omit<EventStreamParts, 'headers' | 'closed'>,
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
