import type { Target } from '../../gen/mcp/kgateway/dev/target/v1alpha1/target.ts';

/** The fields of a target that make its URL. */
export type TargetAddress = Pick<Target, 'host' | 'port' | 'path'>;

/**
 * Builds the URL of a target: `http://host:port` and its path, `https` when the port is 443, `/sse` when the path is
 * empty.
 *
 * Returns `undefined` for a port outside 1 to 65535; for a host that is longer than a DNS name, or not a name, an IPv4
 * address or an IPv6 address in brackets (so that it cannot add a user, port or path); and for a path that does not
 * start with `/` or that contains white space, a control character, a backslash or a fragment.
 */
export function targetUrl({ host, port, path }: TargetAddress): URL | undefined {
  if (!Number.isInteger(port) || port < 1 || port > 65535) return undefined;
  if (host.length > maxHost || !hostPattern.test(host) || !pathPattern.test(path)) return undefined;
  return URL.parse(`${port === 443 ? 'https' : 'http'}://${host}:${port}${path === '' ? '/sse' : path}`) ?? undefined;
}

/** Characters of a DNS name with a trailing dot. */
const maxHost = 254;
const hostPattern = /^(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])$/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: the pattern excludes control characters.
const pathPattern = /^(?:\/[^\s\\#\u0000-\u001f\u007f]*)?$/;
