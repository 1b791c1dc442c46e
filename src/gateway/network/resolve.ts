import { isIPv6 } from 'node:net';
import { GatewayError } from '../errors.ts';

/** A place to connect to. An IPv6 address stands without brackets. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** Where the operator says that certain hosts and ports really are. */
export interface Resolutions {
  /** The place that stands in for this host and port; `undefined` when the operator named none. */
  find(host: string, port: number): Endpoint | undefined;
}

/**
 * Reads the values of `--resolve`, each `host:port=address:port`; an IPv6 address stands in brackets on either side.
 * Hosts compare without letter case and trailing dot. The same host and port twice is an error unless both say the same.
 *
 * @throws GatewayError naming the value that cannot be read
 */
export function parseResolutions(values: readonly string[]): Resolutions {
  const endpoints = new Map<string, Endpoint>();
  for (const value of values) {
    const [from, to, ...rest] = value.split('=').map(parseEndpoint);
    if (from === undefined || to === undefined || rest.length > 0 || from.port === 0 || to.port === 0) {
      throw new GatewayError('usage', `--resolve=${value}: write host:port=address:port, IPv6 addresses in brackets`);
    }
    const key = keyOf(from.host, from.port);
    const earlier = endpoints.get(key);
    if (earlier !== undefined && keyOf(earlier.host, earlier.port) !== keyOf(to.host, to.port)) {
      throw new GatewayError('usage', `--resolve=${value}: ${key} is resolved twice; keep one of the two`);
    }
    endpoints.set(key, to);
  }
  return { find: (host, port) => endpoints.get(keyOf(host, port)) };
}

/** Reads `host:port`, `address:port` or `[address]:port`, the port from 0 to 65535; `undefined` when it is none of these. */
export function parseEndpoint(text: string): Endpoint | undefined {
  const { bracketed, name, digits } =
    /^(?:\[(?<bracketed>[^[\]]+)\]|(?<name>[A-Za-z0-9._-]+)):(?<digits>\d{1,5})$/.exec(text)?.groups ?? {};
  const port = Number(digits);
  if (bracketed !== undefined && !isIPv6(bracketed)) return undefined;
  const host = bracketed ?? name;
  return host === undefined || port > 65535 ? undefined : { host, port };
}

/** `host:port` as people write it, an IPv6 address in brackets. */
export function endpointText({ host, port }: Endpoint): string {
  return isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`;
}

function keyOf(host: string, port: number): string {
  return `${host.toLowerCase().replace(/^\[|\]$|\.$/g, '')}:${port}`;
}
