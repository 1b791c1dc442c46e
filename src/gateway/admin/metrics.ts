import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { LogLosses } from '../../edges.ts';
import { registerProcessMetrics } from '../../net/process-metrics.ts';
import type { GatewayCounterName, GatewayCounters, TargetState } from '../model.ts';
import type { XdsStatus } from '../xds/model.ts';

/** Metrics that Prometheus can scrape. */
export interface GatewayMetrics extends GatewayCounters {
  readonly contentType: string;
  /** The body of `/metrics`. */
  text(): Promise<string>;
}

const counterHelp: Readonly<Record<GatewayCounterName, { readonly help: string; readonly labels: readonly string[] }>> =
  {
    gatehouse_gateway_connections_delayed_total: {
      help: 'Times that connections, or requests on them, waited because more came in a second than a listener takes.',
      labels: ['listener'],
    },
    gatehouse_gateway_connections_lost_total: {
      help: 'Connections that the limits of a listener closed: evicted for a new one, refused, or for another reason.',
      labels: ['listener', 'reason'],
    },
    gatehouse_gateway_decisions_total: {
      help: 'Decisions about requests of callers, by outcome and, of a denial, by the reason.',
      labels: ['outcome', 'reason'],
    },
    gatehouse_gateway_event_streams_cut_total: {
      help: 'Event streams that were closed because their clients did not read them.',
      labels: ['reason'],
    },
    gatehouse_gateway_last_good_total: {
      help: 'What happened to the last-good state on disk: restored, refused, dropped, written or failed.',
      labels: ['event'],
    },
    gatehouse_gateway_notifications_delayed_total: {
      help: 'Times that a stream of a target waited, since it brought more progress, log messages or updates than are read.',
      labels: [],
    },
    gatehouse_gateway_requests_malformed_total: {
      help: 'Requests that are not as HTTP/1.1 has them: a large head, a bad chunk, bad syntax, no Host, or unsupported.',
      labels: ['listener', 'reason'],
    },
    gatehouse_gateway_requests_open_total: {
      help: 'Requests that are answered without a token: preflights of allowed origins, and metadata for clients.',
      labels: ['kind'],
    },
    gatehouse_gateway_requests_refused_total: {
      help: 'Requests that were refused: the caller, or the gateway, had too many open, the body exceeded a limit, or host, origin, path or method were wrong.',
      labels: ['reason'],
    },
    gatehouse_gateway_requests_unauthenticated_total: {
      help: 'Requests that were answered with 401, or with 503 for want of keys, by the reason: a code of the verification.',
      labels: ['reason'],
    },
    gatehouse_gateway_target_connections_failed_total: {
      help: 'Connections to targets that could not be opened: certificate, name, address (a refused one) or connection.',
      labels: ['reason'],
    },
    gatehouse_gateway_sessions_full_total: {
      help: 'Sessions that were ended for a new one, idle or in use, or refused, because there were too many.',
      labels: ['outcome'],
    },
  };

/** What the gauges show; each is called when the metrics are scraped. */
export interface MetricSources {
  /** The targets of the configuration with their states. */
  readonly targets: Targets;
  readonly xds: () => XdsStatus;
  /** Open sessions of clients. */
  readonly sessions: () => number;
  /** What the log has lost. */
  readonly losses: LogLosses;
}

/** Creates the metrics of a gateway, in their own registry. */
export function createGatewayMetrics({ targets, xds, sessions, losses }: MetricSources): GatewayMetrics {
  const registry = new Registry();
  registerProcessMetrics(registry, losses);
  const counters = new Map<string, Counter>();
  for (const [name, { help, labels }] of Object.entries(counterHelp)) {
    counters.set(name, new Counter({ name, help, labelNames: [...labels], registers: [registry] }));
  }
  registerTargets(registry, targets);
  registerCircuits(registry, targets);
  registerXds(registry, xds);
  new Gauge({
    name: 'gatehouse_gateway_sessions',
    help: 'Open sessions of clients.',
    registers: [registry],
    collect() {
      this.set(sessions());
    },
  });
  const times = new Histogram({
    name: 'gatehouse_gateway_target_request_seconds',
    help: 'Time from the decision that allowed a request until the response of its target, by method.',
    labelNames: ['method'],
    // Tools work for milliseconds or for minutes; the default timeout is ten minutes.
    buckets: [0.001, 0.005, 0.02, 0.1, 0.5, 2, 10, 60, 600],
    registers: [registry],
  });
  return {
    contentType: registry.contentType,
    text: () => registry.metrics(),
    targetRequestTook: (seconds, method) => times.observe({ method }, seconds),
    count: (name, labels = {}) => counters.get(name)?.inc({ ...labels }),
  };
}

type Targets = () => Iterable<readonly [string, TargetState]>;

const targetStates: readonly TargetState['state'][] = ['never connected', 'answers', 'slow', 'fails'];

/** The series of a target are gone when the target is. */
function registerTargets(registry: Registry, targets: Targets): void {
  new Gauge({
    name: 'gatehouse_gateway_targets',
    help: 'Targets of the configuration, by what the last request to each has found.',
    labelNames: ['state'],
    registers: [registry],
    collect() {
      for (const state of targetStates) this.set({ state }, 0);
      for (const [, { state }] of targets()) this.inc({ state });
    },
  });
  new Counter({
    name: 'gatehouse_gateway_target_requests_total',
    help: 'Requests to each target since it was added or changed, by how they ended.',
    labelNames: ['target', 'outcome'],
    registers: [registry],
    collect() {
      this.reset();
      for (const [target, { requests }] of targets()) {
        for (const [outcome, count] of Object.entries(requests)) this.inc({ target, outcome }, count);
      }
    },
  });
  new Gauge({
    name: 'gatehouse_gateway_target_lists_failing',
    help: 'Lists of each target that fail, so that the lists of clients lack it.',
    labelNames: ['target'],
    registers: [registry],
    collect() {
      this.reset();
      for (const [target, { lists }] of targets()) this.set({ target }, lists.length);
    },
  });
}

function registerCircuits(registry: Registry, targets: Targets): void {
  new Gauge({
    name: 'gatehouse_gateway_target_circuit_open',
    help: '1 while no connection to a target can be made, so that requests to it fail at once, otherwise 0.',
    labelNames: ['target'],
    registers: [registry],
    collect() {
      this.reset();
      for (const [target, { circuit }] of targets()) this.set({ target }, circuit === null ? 0 : 1);
    },
  });
}

function registerXds(registry: Registry, xds: () => XdsStatus): void {
  new Gauge({
    name: 'gatehouse_gateway_xds_connected',
    help: '1 while the control plane answers on the stream to it, otherwise 0.',
    registers: [registry],
    collect() {
      this.set(xds().connection.state === 'connected' ? 1 : 0);
    },
  });
  new Gauge({
    name: 'gatehouse_gateway_xds_resources',
    help: 'Resources in force, by kind.',
    labelNames: ['kind'],
    registers: [registry],
    collect() {
      for (const { kind, held } of xds().kinds) this.set({ kind }, held);
    },
  });
  new Gauge({
    name: 'gatehouse_gateway_xds_refused',
    help: '1 while the last response of a kind was refused in part, otherwise 0.',
    labelNames: ['kind'],
    registers: [registry],
    collect() {
      for (const { kind, nack } of xds().kinds) this.set({ kind }, nack === null ? 0 : 1);
    },
  });
  new Gauge({
    name: 'gatehouse_gateway_last_good_age_seconds',
    help: 'Age of the last-good state that is in force until the control plane answers, otherwise 0.',
    registers: [registry],
    collect() {
      this.set(xds().lastGood?.ageSeconds ?? 0);
    },
  });
}
