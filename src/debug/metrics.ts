import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { CounterName, Counters, GaugeName, HistogramName, Labels } from '../edges.ts';

/** Counters that can be read by Prometheus. */
export interface Metrics extends Counters {
  readonly contentType: string;
  /** The text that `/metrics` answers. */
  text(): Promise<string>;
}

const counterHelp: Readonly<Record<CounterName, { readonly help: string; readonly labels?: readonly string[] }>> = {
  gatehouse_graph_runs_total: { help: 'Transformations that ran.' },
  gatehouse_graph_failures_total: { help: 'Transformations that threw: bugs of ours.', labels: ['collection'] },
  gatehouse_commits_total: { help: 'Batches of input that were applied.' },
  gatehouse_source_problems_total: { help: 'Problems found in the input.', labels: ['severity'] },
  gatehouse_source_reads_total: { help: 'Manifest files that were read.' },
  gatehouse_source_parses_total: { help: 'Manifest files that were parsed.' },
  gatehouse_source_lists_total: { help: 'Lists that the API server delivered to their end.', labels: ['kind'] },
  gatehouse_source_watches_total: { help: 'Watches that the API server began.', labels: ['kind'] },
  gatehouse_source_events_total: { help: 'Events of watches, bookmarks included.', labels: ['kind'] },
  gatehouse_source_watch_failures_total: {
    help: 'Lists and watches that ended otherwise than they should.',
    labels: ['kind', 'reason'],
  },
  gatehouse_source_missed_total: {
    help: 'Differences that a safety relist found and no event had told.',
    labels: ['kind'],
  },
  gatehouse_kube_requests_total: { help: 'Requests to the API server, by HTTP status or "none".', labels: ['status'] },
  gatehouse_status_writes_total: { help: 'Statuses that were written, by outcome.', labels: ['kind', 'outcome'] },
  gatehouse_status_events_total: { help: 'Kubernetes Events, by reason and outcome.', labels: ['reason', 'outcome'] },
  gatehouse_wire_encodes_total: { help: 'Resources encoded, once for the whole fleet.', labels: ['type'] },
  gatehouse_xds_requests_total: { help: 'Requests of nodes.', labels: ['type'] },
  gatehouse_xds_responses_total: { help: 'Responses to nodes.', labels: ['type'] },
  gatehouse_xds_acks_total: { help: 'Responses that nodes accepted.', labels: ['type'] },
  gatehouse_xds_nacks_total: { help: 'Responses that nodes rejected.', labels: ['type'] },
  gatehouse_xds_stale_nonces_total: { help: 'Requests that answer an older response.', labels: ['type'] },
  gatehouse_xds_unknown_types_total: { help: 'Requests for a type that nobody knows.' },
  gatehouse_xds_assemblies_total: { help: 'Response bodies put together; streams that need the same share one.' },
  gatehouse_xds_connections_refused_total: {
    help: 'Connections closed at once because too many waited, or were open, already.',
  },
  gatehouse_xds_streams_refused_total: { help: 'Streams refused because too many came at once.' },
  gatehouse_xds_cut_offs_total: { help: 'Streams reset because the node did not read what was sent to it.' },
  gatehouse_xds_streams_ended_total: { help: 'Streams that ended, by gRPC status.', labels: ['code'] },
};

const gaugeLabels: Readonly<Partial<Record<GaugeName, readonly string[]>>> = {
  gatehouse_source_last_event_seconds: ['kind'],
};

const gaugeHelp: Readonly<Record<GaugeName, string>> = {
  gatehouse_gateways: 'Gateway objects of ours that are served.',
  gatehouse_targets: 'Targets, over all Gateways.',
  gatehouse_policies: 'Policies that yield a Config.',
  gatehouse_synced: '1 when every kind of resource was read once.',
  gatehouse_input_errors: 'Problems in the input right now because of which something is dropped.',
  gatehouse_source_last_event_seconds: 'When the API server last told something of the kind; seconds since the epoch.',
  gatehouse_leader: '1 while this replica writes statuses.',
  gatehouse_status_pending: 'Statuses that are still to be written.',
  gatehouse_xds_streams: 'Streams that are open.',
  gatehouse_xds_nodes: 'Streams of which it is known whose node they are.',
};

const histogramHelp: Readonly<Record<HistogramName, { readonly help: string; readonly buckets: readonly number[] }>> = {
  gatehouse_xds_queue_seconds: {
    help: 'How long nodes waited for their turn since something changed for them: the longest wait of each slice of them.',
    buckets: [0.001, 0.005, 0.02, 0.1, 0.5, 2, 10],
  },
};

const noLabels: Labels = {};

/** What one counter counted since somebody last read. */
class PendingCounts {
  readonly #byLabels = new Map<string, { readonly labels: Labels; by: number }>();
  /** The labels of the last count are mostly those of the next, and then the same object. */
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

/** Metrics of this process, in a registry of their own. */
export function createMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const counters = new Map<string, Counter>();
  for (const [name, { help, labels }] of Object.entries(counterHelp)) {
    counters.set(name, new Counter({ name, help, labelNames: labels ?? [], registers: [registry] }));
  }
  const gauges = new Map<string, Gauge>();
  const labelsOf = new Map(Object.entries(gaugeLabels));
  for (const [name, help] of Object.entries(gaugeHelp)) {
    gauges.set(name, new Gauge({ name, help, labelNames: [...(labelsOf.get(name) ?? [])], registers: [registry] }));
  }
  const histograms = new Map<string, Histogram>();
  for (const [name, { help, buckets }] of Object.entries(histogramHelp)) {
    histograms.set(name, new Histogram({ name, help, buckets: [...buckets], registers: [registry] }));
  }
  // What was counted since somebody last read: the registry takes longer to find a counter than a push takes elsewhere.
  const counts = new Map<CounterName, PendingCounts>();
  return {
    contentType: registry.contentType,
    text: () => {
      for (const [name, pending] of counts) {
        for (const { labels, by } of pending.values()) counters.get(name)?.inc({ ...labels }, by);
      }
      counts.clear();
      return registry.metrics();
    },
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
