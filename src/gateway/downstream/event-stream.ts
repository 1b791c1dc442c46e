import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { Clock, Logger } from '../../edges.ts';
import { type EventStream, EventStreams, type EventStreamTarget } from '../../net/event-streams.ts';
import { LogThrottle } from '../../rate/log-throttle.ts';
import { callerKey, whenExpired } from '../callers.ts';
import type { Caller, GatewayCounters } from '../model.ts';

/** The response to stream to, with its settings. */
export interface EventStreamParts {
  readonly streams: EventStreams;
  readonly clock: Clock;
  readonly response: ServerResponse;
  readonly headers?: OutgoingHttpHeaders;
  /** Events that go out with the headers. */
  readonly begin?: string | undefined;
  /** Milliseconds for which the headers wait for the first event; see {@link EventStreamTarget}. */
  readonly wait?: number | undefined;
  /** The sender of the request. */
  readonly caller: Caller;
  /** `token`: the stream ends when the caller's token expires. `answers`: only by {@link EventStream.end}. */
  readonly lifetime: 'token' | 'answers';
  /** Called once, when the stream has ended for any reason. */
  readonly closed: () => void;
}

const mebibyte = 1024 * 1024;

/**
 * An eighth of a heap of 768 MiB. The memory that the allocator keeps beside them may be more (docs/performance.md).
 */
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
export function openEventStream({
  streams,
  clock,
  caller,
  lifetime,
  closed,
  ...target
}: EventStreamParts): EventStream {
  const stream = streams.open({
    ...target,
    caller: callerKey(caller),
    closed() {
      stopExpiry();
      closed();
    },
  } satisfies EventStreamTarget);
  const stopExpiry = lifetime === 'token' ? whenExpired(caller, clock, () => stream.end()) : () => {};
  return stream;
}
