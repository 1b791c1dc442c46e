/**
 * Interfaces to the outside of the program: log, time, randomness, metrics. Types only; code takes them as parameters.
 */

/** Structured fields of a log line. They never hold a token, the value of a claim or a whole object. */
export type Fields = Readonly<Record<string, unknown>>;

/** A structured log, one line per event. Hot paths log at `debug`, sampled, or not at all. */
export interface Logger {
  debug(message: string, fields?: Fields): void;
  info(message: string, fields?: Fields): void;
  warn(message: string, fields?: Fields): void;
  error(message: string, fields?: Fields): void;
  /** Returns a logger that adds these fields to each line. */
  child(fields: Fields): Logger;
}

/** The importance of a line, ascending. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** The level of a log: lines below it are not written. */
export interface LogLevelControl {
  level: LogLevel;
}

/** What a log could not write, because nobody read it or its file had no room. */
export interface LogLosses {
  /** Lines that were dropped since the program started. */
  readonly lostLines: number;
}

/** Stops what was started. Idempotent. */
export type Stop = () => void;

/** Stops what was started, and resolves when all of it has ended. Idempotent. */
export type StopAsync = () => Promise<void>;

/** Time, in milliseconds. */
export interface Clock {
  /** Since the epoch: for times that others see, or have set. It may be set, forward and back. */
  now(): number;
  /**
   * Since a moment that stays the same: for durations, which are the difference of two of them. It is never set. It stands
   * still while the machine is suspended, as timers do.
   */
  monotonic(): number;
  /** Calls `run` once after `milliseconds` unless the returned function is called. Does not keep the process alive. */
  after(milliseconds: number, run: () => void): Stop;
}

/** Returns a number in [0, 1). */
export type Random = () => number;

/** Labels of a metric. Each has few values, such as a type URL or an outcome, and never the name of an object. */
export type Labels = Readonly<Record<string, string>>;

/** The counters of the program; `debug/metrics.ts` has their help texts. */
export type CounterName =
  | 'gatehouse_graph_runs_total'
  | 'gatehouse_graph_failures_total'
  | 'gatehouse_commits_total'
  | 'gatehouse_source_problems_total'
  | 'gatehouse_source_looks_total'
  | 'gatehouse_source_reads_total'
  | 'gatehouse_source_parses_total'
  | 'gatehouse_source_lists_total'
  | 'gatehouse_source_watches_total'
  | 'gatehouse_source_events_total'
  | 'gatehouse_source_watch_failures_total'
  | 'gatehouse_source_missed_total'
  | 'gatehouse_jwks_fetches_total'
  | 'gatehouse_kube_requests_total'
  | 'gatehouse_status_writes_total'
  | 'gatehouse_status_events_total'
  | 'gatehouse_wire_encodes_total'
  | 'gatehouse_http_connections_delayed_total'
  | 'gatehouse_http_connections_lost_total'
  | 'gatehouse_http_requests_malformed_total'
  | 'gatehouse_http_requests_total'
  | 'gatehouse_xds_requests_total'
  | 'gatehouse_xds_responses_total'
  | 'gatehouse_xds_response_bytes_total'
  | 'gatehouse_xds_acks_total'
  | 'gatehouse_xds_nacks_total'
  | 'gatehouse_xds_stale_nonces_total'
  | 'gatehouse_xds_unknown_types_total'
  | 'gatehouse_xds_assemblies_total'
  | 'gatehouse_xds_connections_refused_total'
  | 'gatehouse_xds_handshakes_total'
  | 'gatehouse_xds_token_reviews_total'
  | 'gatehouse_xds_denied_claims_total'
  | 'gatehouse_xds_connections_closed_total'
  | 'gatehouse_xds_connections_failed_total'
  | 'gatehouse_xds_streams_refused_total'
  | 'gatehouse_xds_cut_offs_total'
  | 'gatehouse_xds_streams_ended_total';

/** Names of gauges. Help texts and labels: `debug/metrics.ts`. */
export type GaugeName =
  | 'gatehouse_build_info'
  | 'gatehouse_gateways'
  | 'gatehouse_targets'
  | 'gatehouse_policies'
  | 'gatehouse_snapshot_resources'
  | 'gatehouse_snapshot_bytes'
  | 'gatehouse_synced'
  | 'gatehouse_input_errors'
  | 'gatehouse_source_last_event_seconds'
  | 'gatehouse_source_ignored_objects'
  | 'gatehouse_jwks_failing'
  | 'gatehouse_leader'
  | 'gatehouse_status_pending'
  | 'gatehouse_xds_streams'
  | 'gatehouse_xds_nodes'
  | 'gatehouse_xds_nodes_by_variant'
  | 'gatehouse_tls_certificate_expiry_seconds';

/** Names of histograms, in seconds. Help texts and buckets: `debug/metrics.ts`. */
export type HistogramName =
  | 'gatehouse_translation_seconds'
  | 'gatehouse_encoding_seconds'
  | 'gatehouse_xds_queue_seconds'
  | 'gatehouse_xds_convergence_sent_seconds'
  | 'gatehouse_xds_convergence_acked_seconds';

/** Metrics, without time and without I/O. */
export interface Counters {
  /** Adds `by` to a counter. Default 1. */
  count(name: CounterName, labels?: Labels, by?: number): void;
  /** Sets a gauge. */
  gauge(name: GaugeName, value: number, labels?: Labels): void;
  /** Adds a value to a histogram, in seconds. */
  observe(name: HistogramName, value: number): void;
}
