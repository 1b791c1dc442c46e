import { SSEClientTransport, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { boundedFetch } from './bounded-fetch.ts';
import type { UpstreamParts, Wire } from './model.ts';

/** Where and how to connect. */
export interface Address {
  readonly wire: Wire;
  readonly url: URL;
}

/** The SDK's side of a connection. */
export type Transport = SSEClientTransport | StreamableHTTPClientTransport;

/** The stream of a target's own notifications is opened again this often, with growing pauses. */
const reconnection = {
  initialReconnectionDelay: 1_000,
  maxReconnectionDelay: 30_000,
  reconnectionDelayGrowFactor: 2,
  maxRetries: 5,
};

/** A transport that has done nothing yet. What a target sends is bounded. */
export function createTransport(
  { wire, url }: Address,
  { fetch: unbounded, clock, random }: Pick<UpstreamParts, 'fetch' | 'clock' | 'random'>,
): Transport {
  const fetch = boundedFetch(unbounded);
  if (wire === 'http-sse') return new SSEClientTransport(url, { fetch });
  return new StreamableHTTPClientTransport(url, {
    fetch,
    reconnectionOptions: reconnection,
    reconnectionScheduler: (reconnect, delay) => clock.after(pauseOf(delay) * (0.5 + random() / 2), reconnect),
  });
}

/**
 * A target may say how long to wait, by `retry` in its stream: neither so short that it is asked without a pause, nor
 * longer than timers can. Half of it is chance, lest sessions that lost the same target all come back in the same instant.
 */
function pauseOf(delay: number): number {
  const { initialReconnectionDelay: least, maxReconnectionDelay: most } = reconnection;
  return Math.min(Math.max(delay, least), most);
}
