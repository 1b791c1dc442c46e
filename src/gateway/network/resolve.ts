import { shortened } from '../../json/quoted.ts';
import { type HostPort, parseHostPort } from '../../net/host-port.ts';
import { GatewayError } from '../errors.ts';

/** The overrides of `--resolve`: addresses for certain hosts and ports. */
export interface Resolutions {
  /** Returns the address that replaces this host and port, or `undefined` when there is no override. */
  find(host: string, port: number): HostPort | undefined;
}

/**
 * Parses the values of `--resolve`, each `host:port=address:port`, with IPv6 addresses in brackets. Hosts are compared
 * without letter case and trailing dot. Two values for the same host and port are an error, unless they are equal.
 *
 * @throws GatewayError that names the value
 */
export function parseResolutions(values: readonly string[]): Resolutions {
  const addresses = new Map<string, HostPort>();
  for (const value of values) {
    const [from, to, ...rest] = value.split('=').map(parseHostPort);
    if (from === undefined || to === undefined || rest.length > 0 || from.port === 0 || to.port === 0) {
      throw new GatewayError(
        'usage',
        `--resolve=${shortened(value)}: write host:port=address:port, IPv6 addresses in brackets`,
      );
    }
    const key = keyOf(from.host, from.port);
    const earlier = addresses.get(key);
    if (earlier !== undefined && keyOf(earlier.host, earlier.port) !== keyOf(to.host, to.port)) {
      throw new GatewayError(
        'usage',
        `--resolve=${shortened(value)}: ${shortened(key)} is resolved twice; keep one of the two`,
      );
    }
    addresses.set(key, to);
  }
  return { find: (host, port) => addresses.get(keyOf(host, port)) };
}

function keyOf(host: string, port: number): string {
  return `${host.toLowerCase().replace(/^\[|\]$|\.$/g, '')}:${port}`;
}
