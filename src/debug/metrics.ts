import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { CounterName, Counters, GaugeName, HistogramName, Labels, LogLosses } from '../edges.ts';
import { registerProcessMetrics } from '../net/process-metrics.ts';

/** Metrics that Prometheus can scrape. */
export interface Metrics extends Counters {
  readonly contentType: string;
  /** The body of `/metrics`. */
  text(): Promise<string>;
}

const counterHelp: Readonly<Record<CounterName, { readonly help: string; readonly labels?: readonly string[] }>> = {
  gatehouse_graph_runs_total: { help: 'Transformations of the graph that ran.' },
  gatehouse_graph_failures_total: {
    help: 'Transformations of the graph that threw: internal errors.',
    labels: ['collection'],
  },
  gatehouse_commits_total: { help: 'Batches of input that were applied to the graph.' },
  gatehouse_source_problems_total: { help: 'Problems found in the input.', labels: ['severity'] },
  gatehouse_source_looks_total: {
    help: 'Entries of folders that were looked at: after a change, or by the check for changes that no event told.',
    labels: ['by'],
  },
  gatehouse_source_reads_total: { help: 'Manifest files that were read.' },
  gatehouse_source_parses_total: { help: 'Manifest files that were parsed.' },
  gatehouse_source_lists_total: { help: 'Lists of the API server that completed.', labels: ['kind'] },
  gatehouse_source_watches_total: { help: 'Watches of the API server that were opened.', labels: ['kind'] },
  gatehouse_source_events_total: { help: 'Events of watches, bookmarks included.', labels: ['kind'] },
  gatehouse_source_watch_failures_total: {
    help: 'Lists and watches that ended with an error.',
    labels: ['kind', 'reason'],
  },
  gatehouse_source_missed_total: {
    help: 'Differences that a resync found and that no watch event had reported.',
    labels: ['kind'],
  },
  gatehouse_jwks_fetches_total: {
    help: 'Requests for the keys at a jwks.uri, by outcome: fetched or failed.',
    labels: ['outcome'],
  },
  gatehouse_kube_requests_total: { help: 'Requests to the API server, by HTTP status or "none".', labels: ['status'] },
  gatehouse_status_writes_total: { help: 'Writes of statuses, by outcome.', labels: ['kind', 'outcome'] },
  gatehouse_status_events_total: { help: 'Kubernetes Events, by reason and outcome.', labels: ['reason', 'outcome'] },
  gatehouse_wire_encodes_total: { help: 'Resources that were encoded, once for all nodes.', labels: ['type'] },
  gatehouse_http_connections_delayed_total: {
    help: 'Times that connections, or requests on them, waited because more came in a second than an HTTP listener takes.',
    labels: ['listener'],
  },
  gatehouse_http_connections_lost_total: {
    help: 'Connections of an HTTP listener that its limits closed: evicted for a new one, refused, too slow, or a flood.',
    labels: ['listener', 'reason'],
  },
  gatehouse_http_requests_malformed_total: {
    help: 'Requests of an HTTP listener that are not as HTTP/1.1 has them: a large head, a bad chunk, bad syntax, no Host, or unsupported.',
    labels: ['listener', 'reason'],
  },
  gatehouse_http_requests_total: {
    help: 'Requests of the debug and the metrics listener, by HTTP status or "none" when the client left before it.',
    labels: ['listener', 'status'],
  },
  gatehouse_xds_requests_total: { help: 'xDS requests of nodes.', labels: ['type'] },
  gatehouse_xds_responses_total: { help: 'xDS responses to nodes.', labels: ['type'] },
  gatehouse_xds_response_bytes_total: { help: 'Bytes of xDS responses to nodes, before framing.', labels: ['type'] },
  gatehouse_xds_acks_total: { help: 'Responses that nodes accepted (ACK).', labels: ['type'] },
  gatehouse_xds_nacks_total: { help: 'Responses that nodes rejected (NACK).', labels: ['type'] },
  gatehouse_xds_stale_nonces_total: { help: 'Requests with the nonce of an older response.', labels: ['type'] },
  gatehouse_xds_unknown_types_total: { help: 'Requests for an unknown type URL.' },
  gatehouse_xds_assemblies_total: { help: 'Response bodies that were built; streams that need the same one share it.' },
  gatehouse_xds_connections_refused_total: {
    help: 'Connections that were reset because too many were waiting or open, or because they sent no HTTP/2 in time.',
  },
  gatehouse_xds_token_reviews_total: { help: 'Tokens of nodes that were verified, by outcome.', labels: ['outcome'] },
  gatehouse_xds_denied_claims_total: { help: 'Claims of a Gateway that the identity of the node does not allow.' },
  gatehouse_xds_handshakes_total: {
    help: 'TLS handshakes of nodes that ended: completed, or failed because of the client, the time or their number, or left by the client.',
    labels: ['outcome'],
  },
  gatehouse_xds_connections_closed_total: {
    help: 'Connections that were closed because they opened too many streams, or flooded TLS.',
  },
  gatehouse_xds_connections_failed_total: {
    help: 'Connections that ended because of an error of HTTP/2, by what it was: protocol, flood, invalid-frames, or goaway of the client.',
    labels: ['reason'],
  },
  gatehouse_xds_streams_refused_total: {
    help: 'Streams that were refused because of the rate or the number of streams.',
  },
  gatehouse_xds_cut_offs_total: { help: 'Streams that were reset because the node did not read its responses.' },
  gatehouse_xds_streams_ended_total: { help: 'Streams that ended, by gRPC status.', labels: ['code'] },
};

const gaugeLabels: Readonly<Partial<Record<GaugeName, readonly string[]>>> = {
  gatehouse_build_info: ['version', 'node_version'],
  gatehouse_snapshot_resources: ['type'],
  gatehouse_snapshot_bytes: ['type'],
  gatehouse_source_last_event_seconds: ['kind'],
  gatehouse_source_ignored_objects: ['kind'],
  gatehouse_xds_nodes_by_variant: ['variant'],
};

const gaugeHelp: Readonly<Record<GaugeName, string>> = {
  gatehouse_build_info: 'Always 1; the labels are the versions of gatehouse and of Node.',
  gatehouse_gateways: 'Gateways of this controller that are served.',
  gatehouse_targets: 'Targets, over all Gateways.',
  gatehouse_policies: 'Policies that yield a Config.',
  gatehouse_snapshot_resources: 'Encoded resources, each counted once however many Gateways share it.',
  gatehouse_snapshot_bytes: 'Bytes of the encoded resources as a delta response carries them.',
  gatehouse_synced: '1 once every kind of resource was read.',
  gatehouse_input_errors: 'Current problems in the input because of which something is dropped.',
  gatehouse_source_last_event_seconds: 'Time of the last watch event or list of the kind, in seconds since the epoch.',
  gatehouse_source_ignored_objects:
    'Objects of the API server that are ignored because all of them together are more than is kept.',
  gatehouse_jwks_failing: 'Addresses of keys that could not be fetched at the last attempt.',
  gatehouse_leader: '1 while this replica leads and writes statuses.',
  gatehouse_status_pending: 'Statuses that wait to be written or are being written.',
  gatehouse_xds_streams: 'Open streams.',
  gatehouse_xds_nodes: 'Open streams whose node has identified itself.',
  gatehouse_xds_nodes_by_variant: 'The same by variant of the protocol: delta or state-of-the-world.',
  gatehouse_tls_certificate_expiry_seconds:
    'Time at which the TLS certificate of this server ends, in seconds since the epoch; 0 without one.',
};

/** From a commit of one object to one of a large world. */
const workBuckets = [0.001, 0.005, 0.02, 0.1, 0.5, 2, 10];

/** From a loopback to nodes that are slow to answer; the ACK timeout ends their streams. */
const convergenceBuckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

const histogramHelp: Readonly<Record<HistogramName, { readonly help: string; readonly buckets: readonly number[] }>> = {
  gatehouse_translation_seconds: {
    help: 'Time that a commit took to translate what changed into targets, rules and conditions.',
    buckets: workBuckets,
  },
  gatehouse_encoding_seconds: {
    help: 'Time that a commit took to encode what changed and to update the snapshots.',
    buckets: workBuckets,
  },
  gatehouse_xds_convergence_sent_seconds: {
    help: 'By change: time from its first event until the last node was sent it.',
    buckets: convergenceBuckets,
  },
  gatehouse_xds_convergence_acked_seconds: {
    help: 'By change: time from its first event until the last node acknowledged it.',
    buckets: convergenceBuckets,
  },
  gatehouse_xds_queue_seconds: {
    help: 'Time that nodes waited in the push queue after a change: the longest wait of each slice of nodes.',
    buckets: workBuckets,
  },
};

/** The labels of a metric, by its name; none for an unknown one. */
export const metricLabels: ReadonlyMap<string, readonly string[]> = new Map([
  ...Object.entries(counterHelp).map(([name, { labels = [] }]) => [name, labels] as const),
  ...Object.entries(gaugeLabels),
]);

const noLabels: Labels = {};

/** The increments of a counter since the last scrape, by labels. */
class PendingCounts {
  readonly #byLabels = new Map<string, { readonly labels: Labels; by: number }>();
  /** The entry of the last call: mostly the next one has the same labels object. */
  #last: { readonly labels: Labels; by: number } = { labels: noLabels, by: 0 };

  count(labels: Labels, by: number): void {
    if (this.#last.labels !== labels || this.#last.by === 0) this.#last = this.#find(labels);
    this.#last.by += by;
  }

  values(): Iterable<{ readonly labels: Labels; readonly by: number }> {
    return this.#byLabels.values();
  }

  #find(labels: Labels): { readonly labels: Labels; by: number } {
    const key = Object.values(labels).join('\0');
    let count = this.#byLabels.get(key);
    if (count === undefined) {
      count = { labels, by: 0 };
      this.#byLabels.set(key, count);
    }
    return count;
  }
}

/** Creates the metrics of this process, in their own registry. */
export function createMetrics(losses: LogLosses): Metrics {
  const registry = new Registry();
  registerProcessMetrics(registry, losses);
  const counters = new Map<string, Counter>();
  const labelsOf = (name: string): string[] => [...(metricLabels.get(name) ?? [])];
  for (const [name, { help }] of Object.entries(counterHelp)) {
    counters.set(name, new Counter({ name, help, labelNames: labelsOf(name), registers: [registry] }));
  }
  const gauges = new Map<string, Gauge>();
  for (const [name, help] of Object.entries(gaugeHelp)) {
    gauges.set(name, new Gauge({ name, help, labelNames: labelsOf(name), registers: [registry] }));
  }
  const histograms = new Map<string, Histogram>();
  for (const [name, { help, buckets }] of Object.entries(histogramHelp)) {
    histograms.set(name, new Histogram({ name, help, buckets: [...buckets], registers: [registry] }));
  }
  // Increments since the last scrape: a look-up of the counter for each would cost more than the rest of a push.
  const counts = new Map<CounterName, PendingCounts>();
  const build = (): Promise<string> => {
    for (const [name, pending] of counts) {
      for (const { labels, by } of pending.values()) counters.get(name)?.inc({ ...labels }, by);
    }
    counts.clear();
    return registry.metrics();
  };
  return {
    contentType: registry.contentType,
    text: oncePerIteration(build),
    count: (name, labels = noLabels, by = 1) => {
      let pending = counts.get(name);
      if (pending === undefined) {
        pending = new PendingCounts();
        counts.set(name, pending);
      }
      pending.count(labels, by);
    },
    gauge: (name, value, labels) => gauges.get(name)?.set({ ...labels }, value),
    observe: (name, value) => histograms.get(name)?.observe(value),
  };
}

/**
 * Shares a value among all who ask for it in one iteration of the event loop. A text takes 2 ms, and strangers may ask
 * for it on hundreds of connections at once.
 */
function oncePerIteration<T>(build: () => T): () => T {
  let shared: { readonly value: T } | undefined;
  return () => {
    if (shared === undefined) {
      shared = { value: build() };
      setImmediate(() => {
        shared = undefined;
      });
    }
    return shared.value;
  };
}
