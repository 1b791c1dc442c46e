import type { Target } from '../../gen/mcp/kgateway/dev/target/v1alpha1/target.ts';

/** What of a target makes its address. */
export type TargetAddress = Pick<Target, 'host' | 'port' | 'path'>;

/**
 * The URL of a target: `http://host:port` and its path, `https` when the port is 443, `/sse` when the path is empty.
 *
 * `undefined` when host, port and path make no such URL: a port outside 1 to 65535, a host that is neither a name nor an
 * IPv4 address nor an IPv6 address in brackets (so it can bring no user, port or path of its own), a path that does not
 * start with `/` or holds a space, a control character, a backslash or a fragment.
 */
export function targetUrl({ host, port, path }: TargetAddress): URL | undefined {
  if (!Number.isInteger(port) || port < 1 || port > 65535) return undefined;
  if (!hostPattern.test(host) || !pathPattern.test(path)) return undefined;
  return URL.parse(`${port === 443 ? 'https' : 'http'}://${host}:${port}${path === '' ? '/sse' : path}`) ?? undefined;
}

const hostPattern = /^(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])$/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what must not be in a path.
const pathPattern = /^(?:\/[^\s\\#\u0000-\u001f\u007f]*)?$/;
