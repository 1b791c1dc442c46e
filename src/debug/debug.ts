import type { StopAsync } from '../edges.ts';
import type { HostPort } from '../net/host-port.ts';
import { createDebugApi, type DebugApiParts } from './api/debug-api.ts';
import { indexPage } from './index-page.ts';
import type { Metrics } from './metrics.ts';
import { resourceDecoder } from './resource-decoder.ts';
import { type HttpResponse, plainText, type Route, type RoutesParts, serveRoutes } from './routes.ts';
import { type SnapshotsView, snapshotsView } from './snapshots-view.ts';

export { ChangeLog } from './change-log.ts';
export { createMetrics, type Metrics } from './metrics.ts';
export { type DecodeResource, resourceDecoder } from './resource-decoder.ts';

/** The addresses of the two HTTP listeners. */
export interface DebugSettings {
  /** Snapshots, nodes and the graph: by default on loopback. */
  readonly debugListen: HostPort;
  /** Health, readiness and metrics. */
  readonly metricsListen: HostPort;
}

/** The state to show. */
export interface DebugParts extends Omit<DebugApiParts, 'decode' | 'now'> {
  readonly metrics: Metrics;
  /** The `FileDescriptorSet` of every message on the wire. */
  readonly descriptorSet: Uint8Array;
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
  const all: DebugApiParts = { ...parts, decode: resourceDecoder(parts.descriptorSet), now: () => parts.clock.now() };
  const { routes } = createDebugApi(all);
  return new Map<string, Route>([
    ['/', { get: () => indexPage({ ...noSnapshots, ...snapshotsView(all) }) }],
    ...routes,
  ]);
}

const noSnapshots: SnapshotsView = {
  synced: false,
  gateways: [],
  gatewayClasses: [],
  policies: [],
  policyNotices: [],
  services: [],
  problems: [],
};

function metricsRoutes({ synced, metrics }: DebugParts): ReadonlyMap<string, Route> {
  return new Map<string, Route>([
    ['/healthz', { get: () => plainText('ok\n') }],
    ['/readyz', { get: () => readiness(synced()) }],
    ['/metrics', { get: async () => ({ status: 200, type: metrics.contentType, body: await metrics.text() }) }],
  ]);
}

function readiness(synced: boolean): HttpResponse {
  if (synced) return plainText('ok\n');
  return plainText('not everything was read yet: the log and the debug endpoint say what is missing\n', 503);
}
