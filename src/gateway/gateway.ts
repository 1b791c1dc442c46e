import { createServer, type RequestListener, type Server } from 'node:http';
import type { Stop } from '../edges.ts';
import { onlyForLoopbackHosts } from '../net/host-guard.ts';
import { listen } from '../net/http-listener.ts';
import { isLoopback } from '../net/loopback.ts';
import { createAdmin, type ListenerStatus } from './admin/admin.ts';
import { createAuthenticator } from './authn/authn.ts';
import type { JwtAuthenticator } from './authn/model.ts';
import { loadConfig } from './config/config.ts';
import type { GatewayConfig, ListenerConfig } from './config/model.ts';
import { createDownstream, type Downstream } from './downstream/downstream.ts';
import { GatewayError } from './errors.ts';
import { readFlags } from './flags.ts';
import type { GatewayEdges, GatewayOptions, RunningGateway } from './model.ts';
import { createNetwork } from './network/network.ts';
import { type Endpoint, endpointText } from './network/resolve.ts';
import { createTextFetch, type TextFetch } from './network/text-fetch.ts';
import { createShutdown, followAnswers, type Shutdown } from './shutdown.ts';
import type { GatewayEnvironment } from './xds/model.ts';
import { namesGateway, nodeOf } from './xds/node.ts';
import { createXdsClient, type XdsClient } from './xds/xds.ts';

export { GatewayError } from './errors.ts';

/**
 * Starts a gateway: reads its configuration, listens, and follows its control plane. It listens at once; until the first
 * policies came, every call is denied.
 *
 * @throws GatewayError, `usage` for a flag or a configuration that cannot be used, `environment` for a port in use or a file
 * that cannot be read; nothing is left running then
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
  const { mounts, resolutions, adminListen } = readFlags(options);
  const network = createNetwork(resolutions);
  shutdown.add(network.stop);
  const fetchText = createTextFetch(network.operatorFetch, clock);

  const { file, config: json } = options;
  const { config, warnings } = await loadConfig({ file, config: json }, { mounts, fetchText });
  for (const warning of warnings) log.warn(warning);
  const authenticator = await authenticatorOf(config.listener, edges, fetchText);
  const xds = xdsOf(
    config,
    options.environment,
    resolutions.find(config.xdsAddress.host, config.xdsAddress.port),
    edges,
  );
  const downstream = createDownstream({
    world: xds.world,
    authenticator,
    fetchFor: network.targetFetch,
    list: options.list,
    allowedOrigins: options.allowedOrigins,
    listensOnLoopback: config.listener.type === 'sse' && isLoopback(config.listener.host),
    clock,
    random,
    log,
  });
  shutdown.add(() => downstream.stop());

  const listener =
    config.listener.type === 'sse' ? await openListener(config.listener, downstream, edges, shutdown) : undefined;
  const listeners = (): readonly ListenerStatus[] => [
    listener === undefined
      ? { type: 'stdio', authn: null }
      : { type: 'sse', address: urlOf(listener), authn: authenticator?.status() ?? null },
  ];
  const pages = createAdmin({ world: xds.world, xds: xds.status, listeners });
  const admin = await openAdmin(adminListen, pages, edges, shutdown);
  shutdown.add(xds.start());

  const { promise: ended, resolve: end } = Promise.withResolvers<void>();
  const stop = (): Promise<void> => shutdown.run().then(end);
  if (listener === undefined) shutdown.add(serveStdio(downstream, edges, stop));
  return { listener, admin, world: xds.world, status: xds.status, ended, stop };
}

/** Without it nobody is anybody, and the log says so where whoever starts the gateway looks. */
async function authenticatorOf(
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

function xdsOf(
  config: GatewayConfig,
  environment: GatewayEnvironment,
  resolved: Endpoint | undefined,
  { clock, random, log }: GatewayEdges,
): XdsClient {
  const node = nodeOf(config, environment);
  if (!namesGateway(node)) {
    log.warn(
      'nothing names the Gateway that this node belongs to, so the control plane may turn it away: ' +
        'set alt_xds_hostname in the configuration, or POD_NAMESPACE and GW_NAME in the environment',
    );
  }
  const place = { name: config.xdsAddress, address: resolved ?? config.xdsAddress };
  return createXdsClient({ place, node, clock, random, log });
}

async function openListener(
  { host, port }: Extract<ListenerConfig, { readonly type: 'sse' }>,
  downstream: Downstream,
  { log }: GatewayEdges,
  shutdown: Shutdown,
): Promise<Endpoint> {
  const server = createServer((request, response) => downstream.handle(request, response));
  const answered = followAnswers(server);
  shutdown.add(() => server.closeAllConnections());
  const bound = await bind(server, { host, port }, 'MCP clients (listener.port of the configuration)');
  shutdown.add(async () => {
    server.close();
    await downstream.stop();
    await answered();
  });
  log.info(`listening on ${urlOf(bound)} for MCP clients`, {
    listener: 'mcp',
    address: endpointText(bound),
    paths: ['/mcp', '/sse'],
  });
  return bound;
}

async function openAdmin(
  at: Endpoint,
  pages: RequestListener,
  { log }: GatewayEdges,
  shutdown: Shutdown,
): Promise<Endpoint> {
  const server = createServer(isLoopback(at.host) ? onlyForLoopbackHosts(pages) : pages);
  shutdown.add(() => {
    server.close();
    server.closeAllConnections();
  });
  const bound = await bind(server, at, 'the admin page (--admin-listen)');
  log.info(`listening on ${urlOf(bound)} for admin pages`, { listener: 'admin', address: endpointText(bound) });
  return bound;
}

async function bind(server: Server, at: Endpoint, purpose: string): Promise<Endpoint> {
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

function urlOf(endpoint: Endpoint): string {
  return `http://${endpointText(endpoint)}`;
}
