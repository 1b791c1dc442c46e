import type { GatewayOptions } from '../gateway/model.ts';
import { duration, oneOf, wholeNumber } from './flag-values.ts';
import type { Environment, Flag, FlagValues } from './flags.ts';

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
  { name: 'list', value: '<mode>', default: 'all', help: 'all: lists show everything; filtered: what may be called' },
  {
    name: 'names',
    value: '<mode>',
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
    name: 'max-connections',
    value: '<number>',
    default: '8192',
    help: 'maximum of open connections of clients, three quarters of them from one address; each takes about 20 KiB',
  },
  {
    name: 'call-timeout',
    value: '<duration>',
    default: '10m',
    help: 'time of a target to answer a request, or to report progress of it',
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
    maxConnections: wholeNumber('max-connections', flags.text('max-connections'), 1, 1_000_000),
    environment: { POD_NAME, POD_NAMESPACE, NODE_NAME, GW_NAME, INSTANCE_IP },
    callTimeout: duration('call-timeout', flags.text('call-timeout')),
    shutdownGrace: duration('shutdown-grace', flags.text('shutdown-grace')),
  };
}
