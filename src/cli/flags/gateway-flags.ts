import type { GatewayOptions } from '../../gateway/model.ts';
import { quoted } from '../../json/quoted.ts';
import { duration, oneOf, wholeNumber } from '../flag-values.ts';
import { type Environment, type Flag, type FlagValues, UsageError } from '../flags.ts';

/** The flags of `gateway`. */
export const gatewayFlags: readonly Flag[] = [
  { name: 'file', value: '<path or URL>', help: 'the configuration; either this or --config' },
  { name: 'config', value: '<JSON>', help: 'the configuration itself' },
  {
    name: 'resolve',
    value: '<host:port=address:port>',
    repeatable: true,
    help: 'connect to this address for host and port; the only way to targets on this machine',
  },
  {
    name: 'mount',
    value: '</path=folder>',
    repeatable: true,
    help: 'folder that holds a path of the configuration, like a volume mount',
  },
  {
    name: 'list',
    value: '<all|filtered>',
    default: 'all',
    help: 'all: lists show everything; filtered: what may be called',
  },
  {
    name: 'names',
    value: '<qualified|portable|bare>',
    default: 'qualified',
    help: 'qualified: <target>:<name>; portable: a-z, A-Z, 0-9, _ and -, at most 64; bare: as targets have them',
  },
  {
    name: 'admin-listen',
    value: '<host:port>',
    default: '127.0.0.1:19000',
    help: '/targets, /rbac, /listeners, /metrics',
  },
  { name: 'allow-origin', value: '<origin>', repeatable: true, help: 'let browser pages of this origin connect' },
  {
    name: 'allow-host',
    value: '<name>',
    repeatable: true,
    help: 'host name of a proxy in front of a listener on loopback',
  },
  { name: 'max-body-bytes', value: '<bytes>', default: '1048576', help: 'maximum size of a request of a client' },
  {
    name: 'max-header-bytes',
    value: '<bytes>',
    default: '16384',
    help: 'maximum size of a request line with all header fields; a larger one is answered with 431',
  },
  {
    name: 'max-connections',
    value: '<number>',
    default: '8192',
    help: 'maximum of open connections of clients, three quarters of them from one address; each takes about 20 KiB',
  },
  {
    name: 'max-connections-per-second',
    value: '<number>',
    default: '2000',
    help: 'new connections of clients, three quarters of them from one address; those beyond wait',
  },
  {
    name: 'call-timeout',
    value: '<duration>',
    default: '10m',
    help: 'time of a target to answer a request, or to report progress of it',
  },
  {
    name: 'target-timeout',
    value: '<target=duration>',
    repeatable: true,
    help: 'the same for one target, such as default/reports=1h; comes before --method-timeout',
  },
  {
    name: 'method-timeout',
    value: '<method=duration>',
    repeatable: true,
    help: 'the same for one method, such as completion/complete=5s',
  },
  {
    name: 'max-request-rate',
    value: '<number>',
    help: 'HTTP requests a second of one caller, by default not limited; more are answered with 429',
  },
  {
    name: 'max-target-requests',
    value: '<number>',
    help: 'requests of all callers that one target may have open, by default not limited; more are refused',
  },
  {
    name: 'max-target-connections',
    value: '<number>',
    default: '4096',
    help: 'connections to one target: open streams, and requests that are not answered whole; more are refused',
  },
  {
    name: 'max-sessions',
    value: '<number>',
    default: '1000',
    help: 'sessions of clients at /mcp, and as many at /sse',
  },
  {
    name: 'session-idle-timeout',
    value: '<duration>',
    default: '30m',
    help: 'time after which a session without requests and streams ends, 1s to 24h',
  },
  {
    name: 'log-caller',
    value: '<hash|sub|none>',
    default: 'hash',
    help: 'how decisions in the log name callers: hash, sub (the claim of that name) or none',
  },
  {
    name: 'state',
    value: '<folder>',
    help: 'keep what the control plane sent in this folder, for a start while it is away; mode 0700, of this user',
  },
  {
    name: 'state-max-age',
    value: '<duration>',
    default: '24h',
    help: 'time since the control plane has confirmed that state, after which it is not used, 1m to 720h',
  },
  {
    name: 'shutdown-grace',
    value: '<duration>',
    default: '10s',
    help: 'time for sessions to end before they are closed',
  },
];

/** Decodes the flags of `gateway`. The environment holds what the downward API of Kubernetes sets in a pod. */
export function gatewayOptions(flags: FlagValues, environment: Environment): GatewayOptions {
  const { POD_NAME, POD_NAMESPACE, NODE_NAME, GW_NAME, INSTANCE_IP } = environment;
  return {
    file: flags.optional('file'),
    config: flags.optional('config'),
    resolve: flags.list('resolve'),
    mount: flags.list('mount'),
    list: oneOf('list', flags.text('list'), ['all', 'filtered']),
    names: oneOf('names', flags.text('names'), ['qualified', 'portable', 'bare']),
    adminListen: flags.text('admin-listen'),
    allowedOrigins: flags.list('allow-origin'),
    allowedHosts: flags.list('allow-host'),
    maxBodyBytes: wholeNumber('max-body-bytes', flags.text('max-body-bytes'), 1_024, 256 * 1024 * 1024),
    maxHeaderBytes: wholeNumber('max-header-bytes', flags.text('max-header-bytes'), 1_024, 1024 * 1024),
    maxConnections: wholeNumber('max-connections', flags.text('max-connections'), 1, 1_000_000),
    maxConnectionsPerSecond: wholeNumber(
      'max-connections-per-second',
      flags.text('max-connections-per-second'),
      1,
      1_000_000,
    ),
    environment: { POD_NAME, POD_NAMESPACE, NODE_NAME, GW_NAME, INSTANCE_IP },
    callTimeout: duration('call-timeout', flags.text('call-timeout')),
    targetTimeouts: durations('target-timeout', flags.list('target-timeout'), targetName),
    methodTimeouts: durations('method-timeout', flags.list('method-timeout'), methodName),
    maxRequestRate: optionalNumber('max-request-rate', flags, 100_000),
    maxTargetRequests: optionalNumber('max-target-requests', flags, 1_000_000),
    maxTargetConnections: wholeNumber('max-target-connections', flags.text('max-target-connections'), 1, 1_000_000),
    // A new session looks at all others when there is no room.
    maxSessions: wholeNumber('max-sessions', flags.text('max-sessions'), 1, 10_000),
    sessionIdleTimeout: durationWithin('session-idle-timeout', flags, { min: '1s', max: '24h' }),
    logCaller: oneOf('log-caller', flags.text('log-caller'), ['hash', 'sub', 'none']),
    state: flags.optional('state'),
    // Shorter, a restart would find it too old; longer, it would be no answer of this month.
    stateMaxAge: durationWithin('state-max-age', flags, { min: '1m', max: '720h' }),
    shutdownGrace: duration('shutdown-grace', flags.text('shutdown-grace')),
  };
}

function durationWithin(
  flag: string,
  flags: FlagValues,
  { min, max }: { readonly min: string; readonly max: string },
): number {
  const text = flags.text(flag);
  const milliseconds = duration(flag, text);
  if (milliseconds >= duration(flag, min) && milliseconds <= duration(flag, max)) return milliseconds;
  throw new UsageError(`--${flag} is from ${min} to ${max}, not ${quoted(text)}`);
}

function optionalNumber(flag: string, flags: FlagValues, max: number): number | undefined {
  const text = flags.optional(flag);
  return text === undefined ? undefined : wholeNumber(flag, text, 1, max);
}

/** Decodes `name=duration` of each, the last one of a name. */
function durations(
  flag: string,
  texts: readonly string[],
  nameOf: (flag: string, text: string) => string,
): ReadonlyMap<string, number> {
  return new Map(
    texts.map((text) => {
      const end = text.lastIndexOf('=');
      if (end < 1) throw new UsageError(`--${flag} is <name>=<duration>, not ${quoted(text)}: see --help`);
      return [nameOf(flag, text.slice(0, end)), duration(flag, text.slice(end + 1))];
    }),
  );
}

/** A name as in /targets: `<namespace>/<Service>`, with the port where a Service has several. */
function targetName(flag: string, text: string): string {
  if (/^[^/\s=]+\/[^\s=]+$/.test(text)) return text;
  throw new UsageError(`--${flag} is <target>=<duration>, for example default/reports=1h, not one of ${quoted(text)}`);
}

/** The methods that go to one target; those of lists have five seconds. */
const methods = [
  'tools/call',
  'prompts/get',
  'resources/read',
  'resources/subscribe',
  'resources/unsubscribe',
  'completion/complete',
] as const;

function methodName(flag: string, text: string): string {
  return oneOf(flag, text, methods);
}
