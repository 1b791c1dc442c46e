import type { Clock, Logger, StopAsync } from '../edges.ts';
import type { Graph } from '../graph/model.ts';
import type { HostPort } from '../net/host-port.ts';
import { indexPage } from './index-page.ts';
import type { Metrics } from './metrics.ts';
import { resourceDecoder } from './resource-decoder.ts';
import { type HttpResponse, json, plainText, type Route, type RoutesParts, serveRoutes } from './routes.ts';
import { type SnapshotsParts, snapshotsView } from './snapshots-view.ts';

export { createMetrics, type Metrics } from './metrics.ts';
export { type DecodeResource, resourceDecoder } from './resource-decoder.ts';

/** The addresses of the two HTTP listeners. */
export interface DebugSettings {
  /** Snapshots, nodes and the graph: by default on loopback. */
  readonly debugListen: HostPort;
  /** Health, readiness and metrics. */
  readonly metricsListen: HostPort;
}

/** The state to show, read-only. */
export interface DebugParts extends Omit<SnapshotsParts, 'decode'> {
  readonly graph: Graph;
  readonly metrics: Metrics;
  /** The `FileDescriptorSet` of every message on the wire. */
  readonly descriptorSet: Uint8Array;
  readonly clock: Clock;
  readonly log: Logger;
}

export interface RunningDebug {
  /** The bound addresses. */
  readonly addresses: { readonly debug: HostPort; readonly metrics: HostPort };
  readonly stop: StopAsync;
}

/**
 * Opens the debug and the metrics listener.
 *
 * @throws ListenError when one of the addresses cannot be bound; then neither listens
 */
export async function startDebug(settings: DebugSettings, parts: DebugParts): Promise<RunningDebug> {
  const debug = await serveRoutes(settings.debugListen, debugRoutes(parts), listenerParts('debug', parts));
  try {
    const metrics = await serveRoutes(settings.metricsListen, metricsRoutes(parts), listenerParts('metrics', parts));
    return {
      addresses: { debug: debug.address, metrics: metrics.address },
      stop: async () => {
        await Promise.all([debug.stop(), metrics.stop()]);
      },
    };
  } catch (error) {
    await debug.stop();
    throw error;
  }
}

function listenerParts(listener: string, { clock, log, metrics }: DebugParts): RoutesParts {
  return {
    listener,
    // The longest response takes seconds to read; one that is not read holds its bytes.
    limits: { stallTimeout: 60_000 },
    clock,
    log,
    lost: (reason) => metrics.count('gatehouse_http_connections_lost_total', { listener, reason }),
    failed: (error) => log.error('internal error in the debug endpoint', { error }),
  };
}

function debugRoutes(parts: DebugParts): ReadonlyMap<string, Route> {
  const snapshots: SnapshotsParts = { ...parts, decode: resourceDecoder(parts.descriptorSet) };
  return new Map<string, Route>([
    ['/', () => indexPage(snapshotsView(snapshots))],
    ['/snapshots/xds', (query) => snapshotsOf(snapshots, query)],
    ['/snapshots/graph', (query) => json(parts.graph.dump({ keys: query.has('keys') }), query.has('pretty'))],
  ]);
}

function snapshotsOf(snapshots: SnapshotsParts, query: URLSearchParams): HttpResponse {
  const gateway = query.get('gateway') ?? undefined;
  if (gateway !== undefined && !/^[^/]+\/[^/]+$/.test(gateway)) {
    return plainText('gateway is <namespace>/<name>, for example ?gateway=default/mcp-gateway\n', 400);
  }
  return json(snapshotsView(snapshots, gateway), query.has('pretty'));
}

function metricsRoutes({ synced, metrics }: DebugParts): ReadonlyMap<string, Route> {
  return new Map<string, Route>([
    ['/healthz', () => plainText('ok\n')],
    [
      '/readyz',
      () =>
        synced()
          ? plainText('ok\n')
          : plainText('not everything was read yet: the log and the debug endpoint say what is missing\n', 503),
    ],
    ['/metrics', async () => ({ status: 200, type: metrics.contentType, body: await metrics.text() })],
  ]);
}
