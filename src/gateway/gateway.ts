import type { RequestListener } from 'node:http';
import type { Fields, Logger, Stop } from '../edges.ts';
import type { Node } from '../gen/envoy/config/core/v3/base.ts';
import { reasonOf } from '../net/errors.ts';
import { onlyForLoopbackHosts } from '../net/guard/host-guard.ts';
import { formatHostPort, type HostPort } from '../net/host-port.ts';
import {
  type LimitedListener,
  type LimitedListenerParts,
  openLimitedListener,
} from '../net/listener/limited-listener.ts';
import { isLoopback } from '../net/loopback.ts';
import { createTextFetch } from '../net/outbound/text-fetch.ts';
import { createAdmin, type ListenerStatus } from './admin/admin.ts';
import { createGatewayMetrics } from './admin/metrics.ts';
import { createAuthenticator } from './authn/authn.ts';
import type { KeyFetch } from './authn/key-set.ts';
import type { JwtAuthenticator } from './authn/model.ts';
import { type ConfigParts, loadConfig } from './config/config.ts';
import type { BootstrapConfig, JwtAuthnConfig, ListenerConfig } from './config/model.ts';
import { createDownstream, type Downstream } from './downstream/downstream.ts';
import { GatewayError } from './errors.ts';
import { parseFlags } from './flags.ts';
import type { GatewayCounters, GatewayEdges, GatewayOptions, NameMode, RunningGateway, TargetState } from './model.ts';
import { createNetwork, type Network } from './network/network.ts';
import { createTargetSettings } from './network/target-settings.ts';
import { createShutdown, type Shutdown } from './shutdown.ts';
import type { XdsStatus } from './xds/model.ts';
import { gatewayNamedBy, namesGateway, nodeOf } from './xds/node.ts';
import { createXdsClient, type XdsClient } from './xds/xds.ts';

export { GatewayError } from './errors.ts';

/*
 * Rooms, along the paths of a request and of the configuration; this file connects them:
 *
 *   MCP client ── downstream/ ── session/ ── upstream/ ── target
 *                     │             │
 *                   authn/     GatewayConfig ── xds/ ── control plane
 *
 * rpc/ is the JSON-RPC of downstream and upstream connections, network/ opens and guards outgoing connections, config/
 * decodes the static configuration, and admin/ shows the state of the other rooms.
 */

/**
 * Starts a gateway: reads its configuration, listens, and connects to its control plane. It accepts clients at once,
 * but denies every call until it has received rules.
 *
 * @throws GatewayError, `usage` for an invalid flag or configuration, `environment` for a port in use or a file that
 * cannot be read; everything that was started is stopped again
 */
export async function startGateway(options: GatewayOptions, edges: GatewayEdges): Promise<RunningGateway> {
  const shutdown = createShutdown(edges.clock, options.shutdownGrace ?? defaultGrace);
  try {
    return await start(options, edges, shutdown);
  } catch (error) {
    await shutdown.run();
    throw error;
  }
}

/** Milliseconds. */
const defaultGrace = 10_000;

/**
 * The part of the grace time that requests in flight may take; the rest is for their errors and the ends of sessions.
 */
const drainShare = 0.9;

async function start(options: GatewayOptions, edges: GatewayEdges, shutdown: Shutdown): Promise<RunningGateway> {
  const { clock, random, log } = edges;
  const { mounts, resolutions, adminListen } = parseFlags(options);
  const targetSettings = createTargetSettings(clock, log);
  const network = createNetwork({
    ...{ clock, resolutions, settings: targetSettings, maxTargetConnections: options.maxTargetConnections },
    failed: (reason) => metrics.count('gatehouse_gateway_target_connections_failed_total', { reason }),
  });
  shutdown.add(network.stop);
  const fetchText = createTextFetch(network.operatorFetch, clock);

  const bootstrap = await readBootstrap(options, { mounts, fetchText }, log);
  shutdown.add(await targetSettings.open(bootstrap.upstream));
  const authenticator = await openAuthenticator(bootstrap.listener, edges, network);
  shutdown.add(() => authenticator?.stop());
  const resolved = resolutions.find(bootstrap.xdsAddress.host, bootstrap.xdsAddress.port);
  const count = (event: string): void => metrics.count('gatehouse_gateway_last_good_total', { event });
  const node = nodeOf(bootstrap, options.environment, random);
  const xds = openXdsClient(bootstrap, { ...options, node, resolved, count }, edges);
  const { config } = xds;
  const timeouts = { what: '--target-timeout has a time', names: () => options.targetTimeouts?.keys() ?? [] };
  shutdown.add(targetSettings.compareWith(config, [timeouts]));
  const targetState = (target: string): TargetState => downstream.targetState(target);
  const metrics = createGatewayMetrics({
    targets: () => [...config.targets.keys()].map((name) => [name, targetState(name)]),
    xds: xds.status,
    sessions: () => downstream.sessions(),
    losses: edges.losses,
  });
  const downstream = createDownstream({
    config,
    counters: metrics,
    authenticator,
    fetchFor: network.targetFetch,
    ...clientSettings(options, bootstrap, node),
    // The bound address: the configured host may be a spelling or a name that only the resolver knows.
    listensOnLoopback: () => listener !== undefined && isLoopback(listener.host),
    clock,
    random,
    log,
  });
  shutdown.add(() => downstream.stop());
  shutdown.add(xds.save);
  await xds.load();

  const listenerParts: ListenerParts = { ...edges, counters: metrics, shutdown };
  const listener =
    bootstrap.listener.type === 'sse'
      ? await openListener(bootstrap.listener, options, downstream, listenerParts)
      : undefined;
  const listeners = (): readonly ListenerStatus[] => [statusOf(listener, authenticator)];
  const notReady = (): string | undefined => (shutdown.begun() ? 'shutting down' : unreadyKinds(xds.status()));
  const failed = (error: unknown): void => log.error('internal error in an admin page', { error });
  const adminParts = { config, targetState, xds: xds.status, notReady, listeners, metrics, failed, clock, log };
  const pages = createAdmin(adminParts);
  const admin = await openAdmin(adminListen, pages, listenerParts);
  shutdown.add(xds.start());

  const { promise: ended, resolve: end } = Promise.withResolvers<void>();
  const stop = (): Promise<void> => shutdown.run().then(end);
  if (listener === undefined) shutdown.add(serveStdio(downstream, edges, stop));
  // The first step: until it is done, rules and keys change as ever, and clients are told to try elsewhere.
  shutdown.add(() => downstream.drain(drainShare * (options.shutdownGrace ?? defaultGrace)));
  return { listener, admin, config, status: xds.status, ended, stop };
}

function statusOf(listener: HostPort | undefined, authenticator: JwtAuthenticator | undefined): ListenerStatus {
  if (listener === undefined) return { type: 'stdio', authn: null };
  return { type: 'sse', address: urlOf(listener), authn: authenticator?.status() ?? null };
}

async function readBootstrap(
  { file, config: text, names = 'qualified' }: GatewayOptions,
  parts: ConfigParts,
  log: Logger,
): Promise<BootstrapConfig> {
  log.debug('reading the configuration');
  const { config, warnings } = await loadConfig({ file, config: text }, parts);
  for (const warning of warnings) log.warn(warning);
  log.info(...aboutNames(names));
  return config;
}

function timeoutBy(flag: string, milliseconds: number | undefined) {
  return milliseconds === undefined ? undefined : { milliseconds, flag };
}

/** The settings of serving clients, as flags and configuration give them. */
function clientSettings(options: GatewayOptions, { upstream: { passHeaders } }: BootstrapConfig, node: Node) {
  const { list, names, allowedOrigins, allowedHosts, maxBodyBytes, callTimeout, targetTimeouts, methodTimeouts } =
    options;
  const { logCaller, maxRequestRate, maxTargetRequests, maxSessions, sessionIdleTimeout } = options;
  return {
    gateway: gatewayNamedBy(node),
    list,
    names,
    allowedOrigins,
    allowedHosts,
    maxBodyBytes,
    callTimeout,
    callTimeoutOf: (target: string, method: string) =>
      timeoutBy('--target-timeout', targetTimeouts?.get(target)) ??
      timeoutBy('--method-timeout', methodTimeouts?.get(method)),
    logCaller,
    maxRequestRate,
    maxTargetRequests,
    maxSessions,
    sessionIdleTimeout,
    passHeaders,
  };
}

/** Says which kinds of resources the control plane has not sent yet: until then, everything would be denied. */
function unreadyKinds({ kinds, lastGood }: XdsStatus): string | undefined {
  const missing = kinds
    .filter(({ kind, ackedNonce, nack }) => ackedNonce === null && nack === null && !lastGood?.kinds.includes(kind))
    .map(({ kind }) => kind);
  return missing.length === 0 ? undefined : `waiting for the control plane to send ${missing.join(' and ')}`;
}

/** A start line: which hosts refuse a whole list over the names that clients get. */
function aboutNames(names: NameMode): [message: string, fields: Fields] {
  const refusing =
    'Claude Desktop, claude.ai, the Anthropic and OpenAI APIs, older versions of Codex, and Copilot CLI refuse';
  const messages: Readonly<Record<NameMode, string>> = {
    qualified: `${refusing} lists with names like <target>:<name>: use --names portable for them`,
    portable: 'names of tools and prompts are such that all known hosts take them',
    bare: `names are those of targets: ${refusing} lists in which one has anything but letters, digits, _ and -`,
  };
  return [messages[names], { names }];
}

/**
 * Reads the authorities of issuers once at the start, when what is wrong with them is an error; later the keys of
 * before stay in use.
 *
 * @throws GatewayError that names the file
 */
async function expectAuthorities({ jwks }: JwtAuthnConfig, network: Network): Promise<void> {
  for (const source of jwks.kind === 'by issuer' ? jwks.sources.values() : [jwks]) {
    if (!('ca' in source) || source.ca === undefined) continue;
    await network.fetchTrusting(source.ca).catch((error: unknown) => {
      throw new GatewayError('environment', `listener.authn.jwks.ca: ${reasonOf(error)}`, { cause: error });
    });
  }
}

/** Returns `undefined` when the listener has no authentication, and warns that every call will be denied. */
async function openAuthenticator(
  listener: ListenerConfig,
  { clock, log }: GatewayEdges,
  network: Network,
): Promise<JwtAuthenticator | undefined> {
  if (listener.type === 'sse' && listener.authn !== undefined) {
    await expectAuthorities(listener.authn, network);
    const fetchText: KeyFetch = async (url, { ca, ...request }) => {
      const fetch = ca === undefined ? network.operatorFetch : await network.fetchTrusting(ca);
      return createTextFetch(fetch, clock)(url, request);
    };
    return createAuthenticator(listener.authn, { clock, log, fetchText });
  }
  const why =
    listener.type === 'stdio' ? 'a client on stdio has no token' : 'listener.authn is absent, so no token is looked at';
  log.warn(`every call will be denied: ${why}, and nobody without a verified token may do anything`);
  return undefined;
}

function openXdsClient(
  bootstrap: BootstrapConfig,
  {
    node,
    resolved,
    state,
    stateMaxAge = defaultStateMaxAge,
    count,
  }: Pick<GatewayOptions, 'state' | 'stateMaxAge'> & {
    readonly node: Node;
    readonly resolved: HostPort | undefined;
    readonly count: (event: string) => void;
  },
  { clock, random, log }: GatewayEdges,
): XdsClient {
  if (!namesGateway(node)) {
    log.warn(
      'nothing names the Gateway that this node belongs to, so the control plane may turn it away: ' +
        'set alt_xds_hostname in the configuration, or POD_NAMESPACE and GW_NAME in the environment',
    );
  }
  const { xdsAddress, xdsSecurity: security } = bootstrap;
  const controlPlane = { authority: xdsAddress, address: resolved ?? xdsAddress, security };
  const lastGood = state === undefined ? undefined : { folder: state, maxAge: stateMaxAge, count };
  return createXdsClient({ controlPlane, node, lastGood, clock, random, log });
}

/** A day, in milliseconds: longer than an outage that somebody mends, shorter than a grant should outlive its end. */
const defaultStateMaxAge = 24 * 3_600_000;

/** What the listeners share. */
interface ListenerParts extends GatewayEdges {
  readonly counters: GatewayCounters;
  readonly shutdown: Shutdown;
}

/**
 * Listens for MCP clients. On shutdown, ends the sessions and waits for open responses before it closes connections.
 */
async function openListener(
  { host, port }: Extract<ListenerConfig, { readonly type: 'sse' }>,
  { maxConnections, maxConnectionsPerSecond: rate = defaultConnectionRate, maxHeaderBytes }: GatewayOptions,
  downstream: Downstream,
  parts: ListenerParts,
): Promise<HostPort> {
  const { log, shutdown } = parts;
  const { address, drain, close } = await bind({ host, port }, () => downstream.handle, parts, {
    listener: 'mcp',
    purpose: 'MCP clients (listener.port of the configuration)',
    limits: {
      maxConnections: maxConnections ?? defaultMaxConnections,
      newConnections: { rate, burst: rate },
      keptRequests: undefined,
      ...(maxHeaderBytes !== undefined && { maxHeaderSize: maxHeaderBytes }),
    },
  });
  shutdown.add(close);
  shutdown.add(async () => {
    const drained = drain();
    await downstream.stop();
    await drained;
  });
  log.info(`listening on ${urlOf(address)} for MCP clients`, {
    listener: 'mcp',
    address: formatHostPort(address),
    paths: ['/mcp', '/sse'],
  });
  return address;
}

/** Two for each request that may be answered at once: as many again may be idle. An open one takes about 20 KiB. */
const defaultMaxConnections = 8_192;

/** In a second. Each takes about 100 µs: a fifth of a core. */
const defaultConnectionRate = 2_000;

async function openAdmin(at: HostPort, pages: RequestListener, parts: ListenerParts): Promise<HostPort> {
  const { log, shutdown } = parts;
  // Decided by the bound address: `127.1` and names of /etc/hosts lead to loopback, too.
  const pagesFor = (bound: HostPort): RequestListener => (isLoopback(bound.host) ? onlyForLoopbackHosts(pages) : pages);
  const { address, close } = await bind(at, pagesFor, parts, {
    listener: 'admin',
    purpose: 'the admin page (--admin-listen)',
  });
  shutdown.add(close);
  log.info(`listening on ${urlOf(address)} for admin pages`, { listener: 'admin', address: formatHostPort(address) });
  if (!isLoopback(address.host)) {
    const remedy = 'listen on 127.0.0.1, or let only probes and Prometheus reach it';
    log.warn('the admin pages show targets and rules to whoever reaches them', { host: address.host, remedy });
  }
  return address;
}

async function bind(
  at: HostPort,
  handlerFor: (bound: HostPort) => RequestListener,
  { clock, log, counters }: ListenerParts,
  settings: Pick<LimitedListenerParts, 'listener' | 'purpose' | 'limits'>,
): Promise<LimitedListener> {
  const lost = (reason: string): void => {
    counters.count('gatehouse_gateway_connections_lost_total', { listener: settings.listener, reason });
  };
  const delayed = (): void => {
    counters.count('gatehouse_gateway_connections_delayed_total', { listener: settings.listener });
  };
  const malformed = (reason: string): void => {
    counters.count('gatehouse_gateway_requests_malformed_total', { listener: settings.listener, reason });
  };
  try {
    const parts = { ...settings, certificate: undefined, clock, log, lost, delayed, malformed };
    return await openLimitedListener(at, handlerFor, parts);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new GatewayError('environment', message, { cause: error });
  }
}

function serveStdio(downstream: Downstream, { stdin, stdout, log }: GatewayEdges, stop: () => Promise<void>): Stop {
  const stopServing = downstream.stdio(stdin, stdout, () => {
    log.info('the client on stdio is gone');
    void stop();
  });
  log.info('listening on standard input for an MCP client', { listener: 'mcp', address: 'stdio' });
  return stopServing;
}

function urlOf(address: HostPort): string {
  return `http://${formatHostPort(address)}`;
}
