import { Counter, collectDefaultMetrics, Registry } from 'prom-client';
import type { GatewayCounterName, GatewayCounters } from '../model.ts';

/** Metrics that Prometheus can scrape. */
export interface GatewayMetrics extends GatewayCounters {
  readonly contentType: string;
  /** The body of `/metrics`. */
  text(): Promise<string>;
}

const counterHelp: Readonly<Record<GatewayCounterName, { readonly help: string; readonly labels: readonly string[] }>> =
  {
    gatehouse_gateway_connections_lost_total: {
      help: 'Connections that the limits of a listener closed: evicted for a new one, refused, or for another reason.',
      labels: ['listener', 'reason'],
    },
    gatehouse_gateway_event_streams_cut_total: {
      help: 'Event streams that were closed because their clients did not read them.',
      labels: ['reason'],
    },
    gatehouse_gateway_requests_refused_total: {
      help: 'Requests that were refused: the caller, or the gateway, had too many open, or the body exceeded a limit.',
      labels: ['reason'],
    },
  };

/** Creates the metrics of a gateway, in their own registry. */
export function createGatewayMetrics(): GatewayMetrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const counters = new Map<string, Counter>();
  for (const [name, { help, labels }] of Object.entries(counterHelp)) {
    counters.set(name, new Counter({ name, help, labelNames: [...labels], registers: [registry] }));
  }
  return {
    contentType: registry.contentType,
    text: () => registry.metrics(),
    count: (name, labels = {}) => counters.get(name)?.inc({ ...labels }),
  };
}
