import { createServer, type RequestListener, type Server } from 'node:http';
import type { Stop } from '../edges.ts';
import { onlyForLoopbackHosts } from '../net/host-guard.ts';
import { formatHostPort, type HostPort } from '../net/host-port.ts';
import { listen } from '../net/http-listener.ts';
import { isLoopback } from '../net/loopback.ts';
import { createAdmin, type ListenerStatus } from './admin/admin.ts';
import { createAuthenticator } from './authn/authn.ts';
import type { JwtAuthenticator } from './authn/model.ts';
import { loadConfig } from './config/config.ts';
import type { BootstrapConfig, ListenerConfig } from './config/model.ts';
import { createDownstream, type Downstream } from './downstream/downstream.ts';
import { GatewayError } from './errors.ts';
import { parseFlags } from './flags.ts';
import type { GatewayEdges, GatewayOptions, RunningGateway } from './model.ts';
import { createNetwork } from './network/network.ts';
import { createTextFetch, type TextFetch } from './network/text-fetch.ts';
import { createShutdown, type Shutdown, trackResponses } from './shutdown.ts';
import type { GatewayEnvironment } from './xds/model.ts';
import { namesGateway, nodeOf } from './xds/node.ts';
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
  const shutdown = createShutdown(edges.clock, options.shutdownGrace ?? 10_000);
  try {
    return await start(options, edges, shutdown);
  } catch (error) {
    await shutdown.run();
    throw error;
  }
}

async function start(options: GatewayOptions, edges: GatewayEdges, shutdown: Shutdown): Promise<RunningGateway> {
  const { clock, random, log } = edges;
  const { mounts, resolutions, adminListen } = parseFlags(options);
  const network = createNetwork(resolutions);
  shutdown.add(network.stop);
  const fetchText = createTextFetch(network.operatorFetch, clock);

  const source = { file: options.file, config: options.config };
  const { config: bootstrap, warnings } = await loadConfig(source, { mounts, fetchText });
  for (const warning of warnings) log.warn(warning);
  const authenticator = await openAuthenticator(bootstrap.listener, edges, fetchText);
  shutdown.add(() => authenticator?.stop());
  const { host, port } = bootstrap.xdsAddress;
  const xds = openXdsClient(bootstrap, options.environment, resolutions.find(host, port), edges);
  const { config } = xds;
  const downstream = createDownstream({
    config,
    authenticator,
    fetchFor: network.targetFetch,
    list: options.list,
    allowedOrigins: options.allowedOrigins,
    maxBodyBytes: options.maxBodyBytes,
    // The bound address: the configured host may be a spelling or a name that only the resolver knows.
    listensOnLoopback: () => listener !== undefined && isLoopback(listener.host),
    clock,
    random,
    log,
  });
  shutdown.add(() => downstream.stop());

  const listener =
    bootstrap.listener.type === 'sse' ? await openListener(bootstrap.listener, downstream, edges, shutdown) : undefined;
  const listeners = (): readonly ListenerStatus[] => [
    listener === undefined
      ? { type: 'stdio', authn: null }
      : { type: 'sse', address: urlOf(listener), authn: authenticator?.status() ?? null },
  ];
  const pages = createAdmin({ config, xds: xds.status, listeners });
  const admin = await openAdmin(adminListen, pages, edges, shutdown);
  shutdown.add(xds.start());

  const { promise: ended, resolve: end } = Promise.withResolvers<void>();
  const stop = (): Promise<void> => shutdown.run().then(end);
  if (listener === undefined) shutdown.add(serveStdio(downstream, edges, stop));
  return { listener, admin, config, status: xds.status, ended, stop };
}

/** Returns `undefined` when the listener has no authentication, and warns that every call will be denied. */
async function openAuthenticator(
  listener: ListenerConfig,
  { clock, log }: GatewayEdges,
  fetchText: TextFetch,
): Promise<JwtAuthenticator | undefined> {
  if (listener.type === 'sse' && listener.authn !== undefined) {
    return createAuthenticator(listener.authn, { clock, log, fetchText });
  }
  const why =
    listener.type === 'stdio' ? 'a client on stdio has no token' : 'listener.authn is absent, so no token is looked at';
  log.warn(`every call will be denied: ${why}, and nobody without a verified token may do anything`);
  return undefined;
}

function openXdsClient(
  bootstrap: BootstrapConfig,
  environment: GatewayEnvironment,
  resolved: HostPort | undefined,
  { clock, random, log }: GatewayEdges,
): XdsClient {
  const node = nodeOf(bootstrap, environment);
  if (!namesGateway(node)) {
    log.warn(
      'nothing names the Gateway that this node belongs to, so the control plane may turn it away: ' +
        'set alt_xds_hostname in the configuration, or POD_NAMESPACE and GW_NAME in the environment',
    );
  }
  const controlPlane = { authority: bootstrap.xdsAddress, address: resolved ?? bootstrap.xdsAddress };
  return createXdsClient({ controlPlane, node, clock, random, log });
}

/**
 * Listens for MCP clients. On shutdown, ends the sessions and waits for open responses before it closes connections.
 */
async function openListener(
  { host, port }: Extract<ListenerConfig, { readonly type: 'sse' }>,
  downstream: Downstream,
  { log }: GatewayEdges,
  shutdown: Shutdown,
): Promise<HostPort> {
  const server = createServer((request, response) => downstream.handle(request, response));
  const responsesDrained = trackResponses(server);
  shutdown.add(() => server.closeAllConnections());
  const bound = await bind(server, { host, port }, 'MCP clients (listener.port of the configuration)');
  shutdown.add(async () => {
    server.close();
    await downstream.stop();
    await responsesDrained();
  });
  log.info(`listening on ${urlOf(bound)} for MCP clients`, {
    listener: 'mcp',
    address: formatHostPort(bound),
    paths: ['/mcp', '/sse'],
  });
  return bound;
}

async function openAdmin(
  at: HostPort,
  pages: RequestListener,
  { log }: GatewayEdges,
  shutdown: Shutdown,
): Promise<HostPort> {
  const server = createServer();
  shutdown.add(() => {
    server.close();
    server.closeAllConnections();
  });
  const bound = await bind(server, at, 'the admin page (--admin-listen)');
  // Decided by the bound address: `127.1` and names of /etc/hosts lead to loopback, too.
  server.on('request', isLoopback(bound.host) ? onlyForLoopbackHosts(pages) : pages);
  log.info(`listening on ${urlOf(bound)} for admin pages`, { listener: 'admin', address: formatHostPort(bound) });
  return bound;
}

async function bind(server: Server, at: HostPort, purpose: string): Promise<HostPort> {
  try {
    return await listen(server, at, purpose);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new GatewayError('environment', message, { cause: error });
  }
}

function serveStdio(downstream: Downstream, { stdin, stdout, log }: GatewayEdges, stop: () => Promise<void>): Stop {
  stdin.once('end', () => {
    log.info('the client on stdio is gone');
    void stop();
  });
  const stopServing = downstream.stdio(stdin, stdout);
  log.info('listening on standard input for an MCP client', { listener: 'mcp', address: 'stdio' });
  return stopServing;
}

function urlOf(address: HostPort): string {
  return `http://${formatHostPort(address)}`;
}
