/** A series of a metric as `promtool test rules` reads it: one value a minute from minute 0 on. */
export type Series = readonly [series: string, values: string];

/** Series that make an alert fire, and series that must not. */
export interface AlertCase {
  readonly fires: readonly Series[];
  /** The minute at which it fires. */
  readonly at: number;
  /** The labels of the alert beside its severity. */
  readonly labels: Readonly<Record<string, string>>;
  /** Nearly the same, without a reason: must be silent at that minute, or at `silentUntil`. */
  readonly silent: readonly Series[];
  readonly silentUntil?: number;
  /** The same reason, looked at too early; undefined for an alert that fires at once. */
  readonly silentAt?: number;
}

const pod = 'namespace="k",pod="a"';
const other = 'namespace="k",pod="b"';
const inPod = { namespace: 'k', pod: 'a' };
const nacks = `gatehouse_xds_nacks_total{${pod},type="Target"}`;
const missed = `gatehouse_source_missed_total{${pod},kind="Service"}`;
const failures = `gatehouse_graph_failures_total{${pod},collection="targets"}`;
const unavailable = `gatehouse_xds_token_reviews_total{${pod},outcome="unavailable"}`;
const refused = (outcome: string): string =>
  `gatehouse_status_writes_total{${pod},kind="Gateway",outcome="${outcome}"}`;
/** Acknowledgements of changes: so many a minute in time, so many late ones. */
const acked = (inTime: number, late: number): readonly Series[] =>
  [
    ['10', inTime],
    ['30', inTime + late],
    ['+Inf', inTime + late],
  ].map(([le, by]) => [`gatehouse_xds_convergence_acked_seconds_bucket{${pod},le="${le}"}`, `0+${by}x40`] as const);

/** One case of each alert; some have a second one, under the alert's name and a reason. */
export const alertCases: Readonly<Record<string, AlertCase>> = {
  GatehouseAbsent: {
    fires: [],
    at: 6,
    labels: {},
    silent: [[`gatehouse_build_info{${pod}}`, '1x10']],
    silentAt: 4,
  },
  GatehouseNotSynced: {
    fires: [
      [`gatehouse_synced{${pod}}`, '0x10'],
      [`gatehouse_synced{${other}}`, '1x10'],
    ],
    at: 6,
    labels: inPod,
    silent: [[`gatehouse_synced{${pod}}`, '0x3 1x10']],
    silentAt: 4,
  },
  GatehouseNoLeader: {
    fires: [
      [`gatehouse_leader{${pod}}`, '1x5 0x20'],
      [`gatehouse_leader{${other}}`, '0x30'],
    ],
    at: 17,
    labels: { namespace: 'k' },
    silent: [
      [`gatehouse_leader{${pod}}`, '1x5 0x20'],
      [`gatehouse_leader{${other}}`, '0x5 1x20'],
    ],
    silentAt: 14,
  },
  'GatehouseNoLeader (two of them)': {
    fires: [
      [`gatehouse_leader{${pod}}`, '1x30'],
      [`gatehouse_leader{${other}}`, '1x30'],
    ],
    at: 11,
    labels: { namespace: 'k' },
    silent: [],
  },
  GatehouseWatchStale: {
    fires: [[`gatehouse_source_last_event_seconds{${pod},kind="Service"}`, '0x30']],
    at: 16,
    labels: { ...inPod, kind: 'Service' },
    silent: [[`gatehouse_source_last_event_seconds{${pod},kind="Service"}`, '0+60x30']],
    silentAt: 12,
  },
  GatehouseWatchMissedChanges: {
    fires: [[missed, '0x9 1x9']],
    at: 11,
    labels: { namespace: 'k', kind: 'Service' },
    silent: [[missed, '0x20']],
  },
  'GatehouseWatchMissedChanges (the first increment)': {
    fires: [[missed, '_x9 1x9']],
    at: 11,
    labels: { namespace: 'k', kind: 'Service' },
    silent: [[missed, '1x200']],
    silentUntil: 100,
  },
  GatehouseWatchRestarts: {
    fires: [[`gatehouse_source_watch_failures_total{${pod},kind="Service",reason="lost"}`, '0+5x60']],
    at: 40,
    labels: { namespace: 'k', kind: 'Service' },
    silent: [[`gatehouse_source_watch_failures_total{${pod},kind="Service",reason="lost"}`, '0+1x60']],
    silentAt: 15,
  },
  GatehouseInputErrors: {
    fires: [[`gatehouse_input_errors{${pod}}`, '0x4 2x30']],
    at: 21,
    labels: { namespace: 'k' },
    silent: [[`gatehouse_input_errors{${pod}}`, '2x10 0x30']],
    silentAt: 15,
  },
  GatehouseResponsesRejected: {
    fires: [[nacks, '0x9 1x30']],
    at: 12,
    labels: { namespace: 'k', type: 'Target' },
    silent: [[nacks, '3x40']],
  },
  'GatehouseResponsesRejected (the first increment)': {
    fires: [[nacks, '_x9 1x30']],
    at: 12,
    labels: { namespace: 'k', type: 'Target' },
    silent: [],
  },
  GatehouseConvergenceSlow: {
    fires: acked(95, 5),
    at: 25,
    labels: { namespace: 'k' },
    silent: acked(1_000, 1),
    silentAt: 8,
  },
  GatehouseNodesCutOff: {
    fires: [[`gatehouse_xds_cut_offs_total{${pod}}`, '0x9 1x30']],
    at: 12,
    labels: { namespace: 'k' },
    silent: [[`gatehouse_xds_cut_offs_total{${pod}}`, '7x40']],
  },
  GatehouseStreamsRefused: {
    fires: [
      [`gatehouse_xds_streams_refused_total{${pod}}`, '0+60x60'],
      [`gatehouse_xds_connections_refused_total{${pod}}`, '0+60x60'],
    ],
    at: 25,
    labels: { namespace: 'k' },
    silent: [
      [`gatehouse_xds_streams_refused_total{${pod}}`, '0+20x60'],
      [`gatehouse_xds_connections_refused_total{${pod}}`, '0+20x60'],
    ],
    silentAt: 8,
  },
  GatehouseStatusWritesFail: {
    fires: [[refused('refused'), '0+1x60']],
    at: 30,
    labels: { namespace: 'k', kind: 'Gateway' },
    silent: [[refused('written'), '0+1x60']],
    silentAt: 14,
  },
  GatehouseEventLoopSlow: {
    fires: [[`nodejs_eventloop_lag_p99_seconds{${pod},job="kgateway-system/gatehouse"}`, '0.8x30']],
    at: 11,
    labels: inPod,
    silent: [
      [`nodejs_eventloop_lag_p99_seconds{${pod},job="kgateway-system/gatehouse"}`, '0.4x30'],
      [`nodejs_eventloop_lag_p99_seconds{${other},job="shop/cart"}`, '9x30'],
    ],
    silentAt: 8,
  },
  GatehouseCertificateExpires: {
    fires: [[`gatehouse_tls_certificate_expiry_seconds{${pod}}`, '600000x90']],
    at: 65,
    labels: inPod,
    silent: [
      [`gatehouse_tls_certificate_expiry_seconds{${pod}}`, '700000x90'],
      // Without a certificate.
      [`gatehouse_tls_certificate_expiry_seconds{${other}}`, '0x90'],
    ],
    silentAt: 50,
  },
  GatehouseInternalErrors: {
    fires: [[failures, '0x9 1x30']],
    at: 11,
    labels: { namespace: 'k', collection: 'targets' },
    silent: [[failures, '0x40']],
  },
  'GatehouseInternalErrors (before the first scrape)': {
    fires: [[failures, '1x30']],
    at: 2,
    labels: { namespace: 'k', collection: 'targets' },
    silent: [],
  },
  GatehouseClaimsDenied: {
    fires: [[`gatehouse_xds_denied_claims_total{${pod}}`, '0x9 1x30']],
    at: 11,
    labels: { namespace: 'k' },
    silent: [[`gatehouse_xds_denied_claims_total{${pod}}`, '4x40']],
  },
  GatehouseTokenReviewsFail: {
    fires: [[unavailable, '_x9 0+1x30']],
    at: 18,
    labels: { namespace: 'k' },
    silent: [[unavailable.replace('unavailable', 'accepted'), '_x9 0+1x30']],
    silentAt: 12,
  },
  GatehouseKeysNotFetched: {
    fires: [[`gatehouse_jwks_failing{${pod}}`, '0x4 1x90']],
    at: 66,
    labels: { namespace: 'k' },
    silent: [[`gatehouse_jwks_failing{${pod}}`, '1x30 0x90']],
    silentAt: 60,
  },
};
