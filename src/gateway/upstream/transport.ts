import { SSEClientTransport, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { boundedFetch } from './bounded-fetch.ts';
import type { TransportKind, UpstreamParts } from './model.ts';

/** A URL and the transport to use there. */
export interface UpstreamEndpoint {
  readonly transport: TransportKind;
  readonly url: URL;
}

/** A client transport of the SDK. */
export type Transport = SSEClientTransport | StreamableHTTPClientTransport;

/** Backoff for reopening the stream of a target's notifications. Delays are milliseconds. */
const reconnectionOptions = {
  initialReconnectionDelay: 1_000,
  maxReconnectionDelay: 30_000,
  reconnectionDelayGrowFactor: 2,
  maxRetries: 5,
};

/** Creates a transport without connecting. Limits the size of the target's messages. */
export function createTransport(
  { transport, url }: UpstreamEndpoint,
  { fetch: unbounded, clock, random }: Pick<UpstreamParts, 'fetch' | 'clock' | 'random'>,
): Transport {
  const fetch = boundedFetch(unbounded);
  if (transport === 'http-sse') return new SSEClientTransport(url, { fetch });
  return new StreamableHTTPClientTransport(url, {
    fetch,
    reconnectionOptions,
    reconnectionScheduler: (reconnect, delay) => clock.after(clampDelay(delay) * (0.5 + random() / 2), reconnect),
  });
}

/**
 * Limits the delay that a target sets with `retry` in its stream: short ones would be a busy loop, and long ones
 * exceed the range of timers. The caller adds jitter, so that sessions that lost the same target do not reconnect at
 * the same time.
 */
function clampDelay(delay: number): number {
  const { initialReconnectionDelay: min, maxReconnectionDelay: max } = reconnectionOptions;
  return Math.min(Math.max(delay, min), max);
}
