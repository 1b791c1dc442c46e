import type { Logger, StopAsync } from '../edges.ts';
import type { Graph } from '../graph/model.ts';
import { resourceDecoder } from './decode-any.ts';
import { type Answer, type HttpListener, json, listenHttp, plainText, type Route } from './http-listener.ts';
import { indexPage } from './index-page.ts';
import type { Metrics } from './metrics.ts';
import { type SnapshotsParts, snapshotsView } from './snapshots-view.ts';

export { createMetrics, type Metrics } from './metrics.ts';

/** Host and port; the port may be 0. */
interface Address {
  readonly host: string;
  readonly port: number;
}

export interface DebugSettings {
  readonly debugListen: Address;
  readonly metricsListen: Address;
}

/** What there is to look at. Nothing here is ever changed. */
export interface DebugParts extends Omit<SnapshotsParts, 'decode'> {
  readonly graph: Graph;
  readonly metrics: Metrics;
  /** The `FileDescriptorSet` of everything that goes over the wire. */
  readonly descriptorSet: Uint8Array;
  readonly log: Logger;
}

export interface RunningDebug {
  /** Where it really listens. */
  readonly addresses: { readonly debug: Address; readonly metrics: Address };
  readonly stop: StopAsync;
}

/** Listens for people (`debugListen`) and for machines (`metricsListen`). Rejects when a port is in use. */
export async function startDebug(settings: DebugSettings, parts: DebugParts): Promise<RunningDebug> {
  const failed = (error: unknown): void => parts.log.error('internal error in the debug endpoint', { error });
  const debug = await listenHttp(settings.debugListen, debugRoutes(parts), failed);
  try {
    const metrics = await listenHttp(settings.metricsListen, machineRoutes(parts), failed);
    return { addresses: { debug, metrics }, stop: () => stopAll([debug, metrics]) };
  } catch (error) {
    await debug.stop();
    throw error;
  }
}

function debugRoutes(parts: DebugParts): ReadonlyMap<string, Route> {
  const snapshots: SnapshotsParts = { ...parts, decode: resourceDecoder(parts.descriptorSet) };
  return new Map<string, Route>([
    ['/', () => indexPage(snapshotsView(snapshots))],
    ['/snapshots/xds', (query) => xds(snapshots, query)],
    ['/snapshots/graph', (query) => json(parts.graph.dump({ keys: query.has('keys') }), query.has('pretty'))],
  ]);
}

function xds(snapshots: SnapshotsParts, query: URLSearchParams): Answer {
  const gateway = query.get('gateway') ?? undefined;
  if (gateway !== undefined && !/^[^/]+\/[^/]+$/.test(gateway)) {
    return plainText('gateway is <namespace>/<name>, for example ?gateway=default/mcp-gateway\n', 400);
  }
  return json(snapshotsView(snapshots, gateway), query.has('pretty'));
}

function machineRoutes({ synced, metrics }: DebugParts): ReadonlyMap<string, Route> {
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

async function stopAll(listeners: readonly HttpListener[]): Promise<void> {
  await Promise.all(listeners.map((listener) => listener.stop()));
}
