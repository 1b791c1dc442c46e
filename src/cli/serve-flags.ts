import { hostname } from 'node:os';
import type { GatewayOptions } from '../gateway/model.ts';
import type { LogFormat, LogLevel } from '../log/log.ts';
import type { McpToolOptions } from '../mcp-tool/model.ts';
import {
  duration,
  type Environment,
  type Flag,
  type FlagValues,
  type ListenAddress,
  listenAddress,
  oneOf,
  UsageError,
  wholeNumber,
} from './flags.ts';
import { type InputSettings, inputFlags, inputSettings, namespacesOf } from './input-flags.ts';

/** How the program logs; every command has these. */
export interface LogSettings {
  readonly level: LogLevel;
  readonly format: LogFormat;
}

/** What `gatehouse serve` runs with. */
export interface ServeSettings {
  readonly input: InputSettings;
  /** What this process is called among its replicas: the pod's name, else the machine's. */
  readonly replica: string;
  /** Empty: all namespaces. */
  readonly namespaces: readonly string[];
  readonly xdsListen: ListenAddress;
  readonly debugListen: ListenAddress;
  readonly metricsListen: ListenAddress;
  readonly adminListen: ListenAddress;
  readonly controllerName: string;
  readonly clusterDomain: string;
  readonly externalNameServices: boolean;
  readonly allowLoopbackTargets: boolean;
  /** Milliseconds after which streams that are still open are cut. */
  readonly shutdownGrace: number;
  /** Milliseconds that a response may stay without an answer. */
  readonly ackTimeout: number;
  /** Bytes of one request. */
  readonly receiveLimit: number;
  readonly maxStreamsPerSecond: number;
  readonly maxConnections: number;
  /** Milliseconds after which a node is asked to connect anew (0: never), and until its stream is ended then. */
  readonly connectionAge: { readonly age: number; readonly grace: number };
}

export const logFlags: readonly Flag[] = [
  { name: 'log-level', value: '<level>', default: 'info', help: 'debug, info, warn or error' },
  {
    name: 'log-format',
    value: '<format>',
    default: 'auto',
    help: 'auto (text on a terminal, else JSON), json or text',
  },
];

export const serveFlags: readonly Flag[] = [
  ...inputFlags,
  { name: 'xds-listen', value: '<host:port>', default: '0.0.0.0:9977', help: 'where gateways connect (gRPC, ADS)' },
  { name: 'debug-listen', value: '<host:port>', default: '127.0.0.1:9097', help: 'snapshots and nodes, for people' },
  { name: 'metrics-listen', value: '<host:port>', default: '0.0.0.0:9092', help: '/healthz, /readyz, /metrics' },
  { name: 'admin-listen', value: '<host:port>', default: '127.0.0.1:9098', help: 'gRPC for operators: client status' },
  {
    name: 'controller-name',
    value: '<name>',
    default: 'kgateway.dev/kgateway',
    help: 'the GatewayClasses that are ours',
  },
  { name: 'cluster-domain', value: '<domain>', default: 'cluster.local', help: "the domain of the cluster's Services" },
  { name: 'external-name-services', default: 'true', help: 'whether Services of type ExternalName become targets' },
  {
    name: 'allow-loopback-targets',
    default: 'false',
    help: 'let Services point at this machine; for trying things out',
  },
  { name: 'shutdown-grace', value: '<duration>', default: '10s', help: 'how long streams may take to go elsewhere' },
  { name: 'ack-timeout', value: '<duration>', default: '30s', help: 'how long a node may leave a response unanswered' },
  { name: 'receive-limit', value: '<bytes>', default: '33554432', help: 'the largest request of a node' },
  {
    name: 'max-streams-per-second',
    value: '<number>',
    default: '2000',
    help: 'new streams; as many may come at once, the others wait up to a second or are refused',
  },
  {
    name: 'max-connections',
    value: '<number>',
    default: '20000',
    help: 'connections, and streams, of nodes at once; each takes about 50 KiB, and one beyond is refused',
  },
  {
    name: 'max-connection-age',
    value: '<duration>',
    default: '12h',
    help: 'after about so long a node is asked to connect anew, perhaps to another replica; 0s: never',
  },
  {
    name: 'connection-age-grace',
    value: '<duration>',
    default: '10s',
    help: 'how long it may keep the stream it has then',
  },
];

/** Decodes the flags of `serve`; throws a UsageError that says what to write instead. */
export function serveSettings(flags: FlagValues, environment: Environment): ServeSettings {
  const input = inputSettings(flags, environment);
  const domain = flags.text('cluster-domain');
  if (!/^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/.test(domain)) {
    throw new UsageError(`--cluster-domain is a domain name in lower case, for example cluster.local, not "${domain}"`);
  }
  return {
    input,
    replica: environment['POD_NAME'] || hostname(),
    namespaces: namespacesOf(flags),
    xdsListen: listenAddress('xds-listen', flags.text('xds-listen')),
    debugListen: listenAddress('debug-listen', flags.text('debug-listen')),
    metricsListen: listenAddress('metrics-listen', flags.text('metrics-listen')),
    adminListen: listenAddress('admin-listen', flags.text('admin-listen')),
    controllerName: flags.text('controller-name'),
    clusterDomain: domain,
    externalNameServices: flags.on('external-name-services'),
    allowLoopbackTargets: flags.on('allow-loopback-targets'),
    shutdownGrace: duration('shutdown-grace', flags.text('shutdown-grace')),
    ackTimeout: duration('ack-timeout', flags.text('ack-timeout')),
    receiveLimit: wholeNumber('receive-limit', flags.text('receive-limit'), 1, 2 ** 31 - 1),
    maxStreamsPerSecond: wholeNumber('max-streams-per-second', flags.text('max-streams-per-second'), 1, 1_000_000),
    maxConnections: wholeNumber('max-connections', flags.text('max-connections'), 1, 1_000_000),
    connectionAge: {
      age: duration('max-connection-age', flags.text('max-connection-age')),
      grace: duration('connection-age-grace', flags.text('connection-age-grace')),
    },
  };
}

/** Decodes the flags that every command has. */
export function logSettings(flags: FlagValues): LogSettings {
  return {
    level: oneOf('log-level', flags.text('log-level'), ['debug', 'info', 'warn', 'error']),
    format: oneOf('log-format', flags.text('log-format'), ['auto', 'json', 'text']),
  };
}

export const demoFlags: readonly Flag[] = [
  { name: 'once', help: 'end after the story' },
  { name: 'port', value: '<port>', help: "the gateway's listener port instead of the guide's 8080" },
];

/** The port that `demo` was asked for. */
export function demoPort(flags: FlagValues): number | undefined {
  const text = flags.optional('port');
  return text === undefined ? undefined : wholeNumber('port', text, 1, 65_535);
}

export const gatewayFlags: readonly Flag[] = [
  { name: 'file', value: '<path or URL>', help: 'the configuration; either this or --config' },
  { name: 'config', value: '<JSON>', help: 'the configuration itself' },
  {
    name: 'resolve',
    value: '<host:port=address:port>',
    repeatable: true,
    help: 'where a host and port really are; the only way to targets on this machine',
  },
  {
    name: 'mount',
    value: '</path=folder>',
    repeatable: true,
    help: 'where a path of the configuration really lies, as a volume mount',
  },
  { name: 'list', value: '<mode>', default: 'all', help: 'all: lists show everything; filtered: what may be called' },
  { name: 'admin-listen', value: '<host:port>', default: '127.0.0.1:19000', help: '/targets, /rbac, /listeners' },
  { name: 'allow-origin', value: '<origin>', repeatable: true, help: 'let browser pages of this origin connect' },
  { name: 'shutdown-grace', value: '<duration>', default: '10s', help: 'how long sessions may take to end' },
];

/** Decodes the flags of `gateway`. The environment is what Kubernetes tells a pod about itself. */
export function gatewayOptions(flags: FlagValues, environment: Environment): GatewayOptions {
  const { POD_NAME, POD_NAMESPACE, NODE_NAME, GW_NAME, INSTANCE_IP } = environment;
  return {
    file: flags.optional('file'),
    config: flags.optional('config'),
    resolve: flags.list('resolve'),
    mount: flags.list('mount'),
    list: oneOf('list', flags.text('list'), ['all', 'filtered']),
    adminListen: flags.text('admin-listen'),
    allowedOrigins: flags.list('allow-origin'),
    environment: { POD_NAME, POD_NAMESPACE, NODE_NAME, GW_NAME, INSTANCE_IP },
    shutdownGrace: duration('shutdown-grace', flags.text('shutdown-grace')),
  };
}

export const mcpToolFlags: readonly Flag[] = [
  { name: 'sse', help: 'serve HTTP+SSE; accepted as in the guide, for both transports are always served' },
  { name: 'host', value: '<address>', default: '127.0.0.1', help: 'where to listen' },
  { name: 'port', value: '<port>', default: '3001', help: 'the port; 0 picks a free one' },
  { name: 'allow-private-addresses', help: 'fetch from addresses that are not public, too' },
  {
    name: 'allow-host',
    value: '<name>',
    repeatable: true,
    help: 'a host name by which clients may call a server on loopback, as a gateway with --resolve does',
  },
];

/** Decodes the flags of `mcp-tool`. */
export function mcpToolOptions(flags: FlagValues, version: string): McpToolOptions {
  return {
    host: flags.text('host'),
    port: wholeNumber('port', flags.text('port'), 0, 65_535),
    allowPrivateAddresses: flags.on('allow-private-addresses'),
    allowedHosts: flags.list('allow-host'),
    version,
  };
}
