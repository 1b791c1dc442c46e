/** What reaches a part of the program from outside of it: log, time, chance, metrics. Types only; whoever needs one takes it as a parameter. */

/** Values that belong to a log line. Never a token, a claim's value or a whole object. */
export type Fields = Readonly<Record<string, unknown>>;

/** One line per event. Hot paths log at `debug`, sampled or not at all. */
export interface Logger {
  debug(message: string, fields?: Fields): void;
  info(message: string, fields?: Fields): void;
  warn(message: string, fields?: Fields): void;
  error(message: string, fields?: Fields): void;
  /** The same log with fields that every line from here on carries. */
  child(fields: Fields): Logger;
}

/** Ends what was started. Calling it twice does no harm. */
export type Stop = () => void;

/** The same for what takes a while to end; settles when nothing of it is left. */
export type StopAsync = () => Promise<void>;

/** Time, in milliseconds since the epoch. */
export interface Clock {
  now(): number;
  /** Calls `run` once after `milliseconds`, unless stopped before. Does not keep the process alive. */
  after(milliseconds: number, run: () => void): Stop;
}

/** A number from 0 up to, not including, 1. */
export type Random = () => number;

/** Few values each: a type URL, an outcome. Never the name of an object. */
export type Labels = Readonly<Record<string, string>>;

/** Every metric of the program; `debug/metrics.ts` gives each its help text. */
export type CounterName =
  | 'gatehouse_graph_runs_total'
  | 'gatehouse_graph_failures_total'
  | 'gatehouse_commits_total'
  | 'gatehouse_source_problems_total'
  | 'gatehouse_source_reads_total'
  | 'gatehouse_source_parses_total'
  | 'gatehouse_source_lists_total'
  | 'gatehouse_source_watches_total'
  | 'gatehouse_source_events_total'
  | 'gatehouse_source_watch_failures_total'
  | 'gatehouse_source_missed_total'
  | 'gatehouse_kube_requests_total'
  | 'gatehouse_status_writes_total'
  | 'gatehouse_status_events_total'
  | 'gatehouse_wire_encodes_total'
  | 'gatehouse_xds_requests_total'
  | 'gatehouse_xds_responses_total'
  | 'gatehouse_xds_acks_total'
  | 'gatehouse_xds_nacks_total'
  | 'gatehouse_xds_stale_nonces_total'
  | 'gatehouse_xds_unknown_types_total'
  | 'gatehouse_xds_assemblies_total'
  | 'gatehouse_xds_connections_refused_total'
  | 'gatehouse_xds_streams_refused_total'
  | 'gatehouse_xds_cut_offs_total'
  | 'gatehouse_xds_streams_ended_total';

export type GaugeName =
  | 'gatehouse_gateways'
  | 'gatehouse_targets'
  | 'gatehouse_policies'
  | 'gatehouse_synced'
  | 'gatehouse_input_errors'
  | 'gatehouse_source_last_event_seconds'
  | 'gatehouse_leader'
  | 'gatehouse_status_pending'
  | 'gatehouse_xds_streams'
  | 'gatehouse_xds_nodes';

export type HistogramName = 'gatehouse_xds_queue_seconds';

/** Counts, levels and distributions, without time and without I/O. */
export interface Counters {
  count(name: CounterName, labels?: Labels, by?: number): void;
  gauge(name: GaugeName, value: number, labels?: Labels): void;
  /** One more value of a distribution; seconds. */
  observe(name: HistogramName, value: number): void;
}
