import { hostname } from 'node:os';
import type { ServeSettings } from '../../app/settings.ts';
import { duration, listenAddress, wholeNumber } from '../flag-values.ts';
import { type Environment, type Flag, type FlagValues, UsageError } from '../flags.ts';
import { inputFlags, inputSettings, namespacesOf } from './input-flags.ts';
import { securityFlags, securitySettings } from './security-flags.ts';
import { translationFlags, translationSettings } from './translation-flags.ts';

/** The flags of `serve`. */
export const serveFlags: readonly Flag[] = [
  ...inputFlags,
  { name: 'xds-listen', value: '<host:port>', default: '0.0.0.0:9977', help: 'where gateways connect (gRPC, ADS)' },
  ...securityFlags,
  { name: 'debug-listen', value: '<host:port>', default: '127.0.0.1:9097', help: 'snapshots and nodes, for people' },
  { name: 'metrics-listen', value: '<host:port>', default: '0.0.0.0:9092', help: '/healthz, /readyz, /metrics' },
  { name: 'admin-listen', value: '<host:port>', default: '127.0.0.1:9098', help: 'gRPC for operators: client status' },
  ...translationFlags,
  {
    name: 'allow-http-jwks',
    default: 'false',
    help: 'fetch keys of policies by http too, where anybody on the way can replace them; for trying things out',
  },
  {
    name: 'allow-private-jwks',
    default: 'false',
    help: 'fetch keys of policies from private addresses too, such as an issuer in the cluster',
  },
  {
    name: 'shutdown-grace',
    value: '<duration>',
    default: '10s',
    help: 'time for streams to end before they are reset',
  },
  { name: 'ack-timeout', value: '<duration>', default: '30s', help: 'time a node may take to ACK or NACK a response' },
  { name: 'receive-limit', value: '<bytes>', default: '33554432', help: 'maximum size of a request of a node' },
  {
    name: 'max-streams-per-second',
    value: '<number>',
    default: '2000',
    help: 'rate and burst of new streams; further ones wait for their turn, or are refused when as many wait',
  },
  {
    name: 'max-connections',
    value: '<number>',
    default: '20000',
    help: 'maximum of open connections and of open streams; each takes about 50 KiB, further ones are refused',
  },
  {
    name: 'max-streams-per-connection',
    value: '<number>',
    default: '100',
    help: 'concurrent streams of one connection (HTTP/2 MAX_CONCURRENT_STREAMS); a client waits or opens another one',
  },
  {
    name: 'max-connection-age',
    value: '<duration>',
    default: '12h',
    help: 'age at which a node is asked to reconnect, perhaps to another replica; 0s: never',
  },
  {
    name: 'connection-age-grace',
    value: '<duration>',
    default: '10s',
    help: 'time from then until its stream is ended',
  },
];

/** Decodes the flags of `serve`. `POD_NAME` and `POD_NAMESPACE` come from the downward API of Kubernetes. */
export function serveSettings(flags: FlagValues, environment: Environment): ServeSettings {
  const input = inputSettings(flags, environment);
  return {
    input,
    replica: environment['POD_NAME'] || hostname(),
    tracesUrl: tracesUrl(environment),
    namespaces: namespacesOf(flags),
    xdsListen: listenAddress('xds-listen', flags.text('xds-listen')),
    ...securitySettings(flags, input),
    debugListen: listenAddress('debug-listen', flags.text('debug-listen')),
    metricsListen: listenAddress('metrics-listen', flags.text('metrics-listen')),
    adminListen: listenAddress('admin-listen', flags.text('admin-listen')),
    ...translationSettings(flags),
    keyFetching: { allowHttp: flags.on('allow-http-jwks'), allowPrivate: flags.on('allow-private-jwks') },
    shutdownGrace: duration('shutdown-grace', flags.text('shutdown-grace')),
    ackTimeout: duration('ack-timeout', flags.text('ack-timeout')),
    receiveLimit: wholeNumber('receive-limit', flags.text('receive-limit'), 1, 2 ** 31 - 1),
    maxStreamsPerSecond: wholeNumber('max-streams-per-second', flags.text('max-streams-per-second'), 1, 1_000_000),
    maxConnections: wholeNumber('max-connections', flags.text('max-connections'), 1, 1_000_000),
    maxStreamsPerConnection: wholeNumber(
      'max-streams-per-connection',
      flags.text('max-streams-per-connection'),
      1,
      1_000_000,
    ),
    connectionAge: {
      age: duration('max-connection-age', flags.text('max-connection-age')),
      grace: duration('connection-age-grace', flags.text('connection-age-grace')),
    },
  };
}

/**
 * Reads where traces go from the variables that OpenTelemetry specifies
 * (https://opentelemetry.io/docs/specs/otel/protocol/exporter/): a base, or the whole address. Messages do not repeat
 * the address: it may have a password.
 */
function tracesUrl(environment: Environment): string | undefined {
  if (environment['OTEL_SDK_DISABLED']?.toLowerCase() === 'true') return undefined;
  const whole = environment['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'];
  const base = environment['OTEL_EXPORTER_OTLP_ENDPOINT'];
  const variable = whole ? 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT' : 'OTEL_EXPORTER_OTLP_ENDPOINT';
  if (!whole && !base) return undefined;
  const url = whole ? URL.parse(whole) : URL.parse('v1/traces', base?.endsWith('/') ? base : `${base}/`);
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return url.href;
  throw new UsageError(`${variable} is an http or https URL, for example http://collector:4318`);
}
