import type { Stop, StopAsync } from '../edges.ts';
import type { RequestGuard } from '../net/guard/request-guard.ts';
import type { HostPort } from '../net/host-port.ts';
import { isLoopback } from '../net/loopback.ts';
import type { ServerCertificate } from '../net/tls/server-certificate.ts';
import { openPage } from '../page/page.ts';
import { createDebugApi, type DebugApiParts } from './api/debug-api.ts';
import type { Metrics } from './metrics.ts';
import { type DecodeResource, loadResourceDecoder } from './resource-decoder.ts';
import { type HttpResponse, plainText, type Route, type RoutesParts, serveRoutes } from './routes.ts';
import { StatusStream } from './status-stream.ts';

export { ChangeLog } from './change-log.ts';
export { createMetrics, type Metrics } from './metrics.ts';
export { type DecodeResource, loadResourceDecoder } from './resource-decoder.ts';

/** The addresses of the two HTTP listeners. */
export interface DebugSettings {
  /** Snapshots, nodes and the graph: by default on loopback. */
  readonly debugListen: HostPort;
  /** Health, readiness and metrics. */
  readonly metricsListen: HostPort;
}

/** What guards listeners that are bound elsewhere than on loopback. */
interface DebugSecurity {
  readonly certificate: ServerCertificate;
  readonly guard: RequestGuard;
}

/** The state to show. */
export interface DebugParts extends Omit<DebugApiParts, 'decoder' | 'now'> {
  readonly metrics: Metrics;
  /** The `FileDescriptorSet` of every message on the wire. */
  readonly descriptorSet: Uint8Array;
  /** Undefined: plaintext, and every client is answered. */
  readonly security: DebugSecurity | undefined;
}

/** The debug and the metrics listener, running. */
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
  const { debugListen, metricsListen } = settings;
  const { routes, stop } = debugRoutes(parts);
  const debug = await serveRoutes(debugListen, routes, listenerParts('debug', debugListen, parts));
  const { host } = debug.address;
  if (!isLoopback(host) && parts.security === undefined) {
    const remedy = 'listen on 127.0.0.1, or demand tokens with --debug-auth=token';
    parts.log.warn('the debug listener shows every Gateway to whoever reaches it', { host, remedy });
  }
  try {
    const metricsParts = listenerParts('metrics', metricsListen, parts);
    const metrics = await serveRoutes(metricsListen, metricsRoutes(parts), metricsParts);
    return {
      addresses: { debug: debug.address, metrics: metrics.address },
      stop: async () => {
        stop();
        await Promise.all([debug.stop(), metrics.stop()]);
      },
    };
  } catch (error) {
    await debug.stop();
    throw error;
  }
}

function listenerParts(
  listener: string,
  { host }: HostPort,
  { clock, log, metrics, security }: DebugParts,
): RoutesParts {
  return {
    // Decided by the name for TLS, and by the bound address for the guard: what is doubtful has both.
    certificate: isLoopback(host) ? undefined : security?.certificate,
    guard: security?.guard,
    listener,
    // The longest response takes seconds to read; one that is not read holds its bytes.
    limits: { stallTimeout: 60_000 },
    clock,
    log,
    lost: (reason) => metrics.count('gatehouse_http_connections_lost_total', { listener, reason }),
    delayed: () => metrics.count('gatehouse_http_connections_delayed_total', { listener }),
    malformed: (reason) => metrics.count('gatehouse_http_requests_malformed_total', { listener, reason }),
    answered: (status) => metrics.count('gatehouse_http_requests_total', { listener, status }),
    failed: (error) => log.error('internal error in the debug endpoint', { error }),
  };
}

/** The endpoints, the stream of the status, and the page that shows them. */
function debugRoutes(parts: DebugParts): { readonly routes: ReadonlyMap<string, Route>; readonly stop: Stop } {
  let loaded: Promise<DecodeResource> | undefined;
  const decoder: DebugApiParts['decoder'] = () => {
    loaded ??= loadResourceDecoder(parts.descriptorSet);
    return loaded;
  };
  const all: DebugApiParts = { ...parts, decoder, now: () => parts.clock.now() };
  const { routes, status } = createDebugApi(all);
  const failed = (error: unknown): void => parts.log.error('internal error in the debug endpoint', { error });
  const stream = new StatusStream({ status, clock: parts.clock, failed });
  const files = Array.from(openPage(), ([path, read]): [string, Route] => [
    path,
    { get: async () => ({ status: 200, ...(await read()) }) },
  ]);
  return {
    routes: new Map<string, Route>([...files, ...routes, ['/debug/events', stream.route]]),
    stop: () => stream.stop(),
  };
}

function metricsRoutes({ synced, metrics }: DebugParts): ReadonlyMap<string, Route> {
  return new Map<string, Route>([
    ['/healthz', { probe: () => plainText('ok\n') }],
    ['/readyz', { probe: () => readiness(synced()) }],
    ['/metrics', { get: async () => ({ status: 200, type: metrics.contentType, body: await metrics.text() }) }],
  ]);
}

function readiness(synced: boolean): HttpResponse {
  if (synced) return plainText('ok\n');
  return plainText('not everything was read yet: the log and the debug endpoint say what is missing\n', 503);
}
