import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

/**
 * Returns whether an address or a host name is loopback. The only predicate for listeners (may other machines
 * connect?), for `Host` and `Origin` headers (does a web page use a foreign name?) and for their warnings.
 *
 * Addresses: 127.0.0.0/8, ::1, and 127.0.0.0/8 mapped into IPv6 (`::ffff:127.0.0.1`). Names: `localhost` and names
 * below it, which no DNS may delegate (RFC 6761, section 6.3). Ignores case, one trailing dot and the brackets of a
 * URL. Nothing else is loopback: names are not looked up, not even in /etc/hosts, and short forms such as `127.1` are
 * not expanded.
 *
 * @param host an address or a name, without a port
 */
export function isLoopback(host: string): boolean {
  const text = host.toLowerCase();
  if (text.startsWith('[') !== text.endsWith(']')) return false;
  const bare = text.startsWith('[') ? text.slice(1, -1) : text.replace(/\.$/, '');
  const version = isIP(bare);
  // Four numbers without leading zeros: the first is the network. Each request of a gateway asks. No URL has brackets here.
  if (version === 4) return !text.startsWith('[') && bare.startsWith('127.');
  // Readers differ in what an address with a zone is (`::1%lo`), and no URL has one: these are not loopback.
  if (version === 6) return !bare.includes('%') && ipaddr.process(inHex(bare)).range() === 'loopback';
  return /^([a-z0-9_-]+\.)*localhost$/.test(bare) && !text.startsWith('[');
}

/** Writes an IPv6 address without a dotted part: the library takes `::127.0.0.1` for a mapped address, which it is not. */
function inHex(address: string): string {
  if (!address.includes(':') || !address.includes('.')) return address;
  return URL.parse(`http://[${address}]/`)?.hostname.slice(1, -1) ?? address;
}

/**
 * Names of the machine that looks them up, by convention: what hosts files of Debian, Red Hat, SUSE, macOS and Solaris,
 * the one that the kubelet writes into every pod, and systemd's nss-myhostname resolve without DNS.
 */
const localNames: readonly string[] = [
  ...['localhost', 'localhost.localdomain', 'loopback', 'broadcasthost', 'loghost'],
  ...['localhost4', 'localhost4.localdomain4', 'localhost6', 'localhost6.localdomain6'],
  ...['ip6-', 'ipv6-'].flatMap((prefix) =>
    ['localhost', 'loopback', 'localnet', 'mcastprefix', 'allnodes', 'allrouters', 'allhosts'].map(
      (name) => `${prefix}${name}`,
    ),
  ),
  ...['_gateway', '_outbound', '_localdnsstub', '_localdnsproxy'],
];

/**
 * Returns whether a host name means the machine that looks it up, or its link: one of {@link localNames} or a name below
 * it. The only predicate for names that no target may have. Wider than {@link isLoopback}, whose names may reach a
 * listener: a name in doubt is refused by both. Ignores case and one trailing dot; false for addresses.
 */
export function isLocalName(host: string): boolean {
  const name = host.toLowerCase().replace(/\.$/, '');
  return localNames.some((local) => name === local || name.endsWith(`.${local}`));
}

/**
 * Returns whether the `Host` header of a request is loopback. A listener on loopback refuses any other: a web page
 * whose name was made to resolve to 127.0.0.1 sends requests with that name (DNS rebinding).
 *
 * @param header `host` or `host:port`; undefined and any other text is not loopback
 */
export function isLoopbackAuthority(header: string | undefined): boolean {
  // Not by the URL parser: it expands `127.1` and numbers, and decodes escapes.
  const { host, port } = /^(?<host>\[[^\]]*\]|[^:]*)(?::(?<port>\d{1,5}))?$/.exec(header ?? '')?.groups ?? {};
  return host !== undefined && Number(port ?? 0) <= 65_535 && isLoopback(host);
}

/** Characters: `https://`, a DNS name of 253 and a port. The URL parser takes the square of a host's length. */
const maxOrigin = 8 + 253 + 6;

/** Returns whether an `Origin` header names a page that this machine serves by HTTP or HTTPS. */
export function isLoopbackOrigin(header: string): boolean {
  if (header.length > maxOrigin || !URL.canParse(header)) return false;
  const { protocol, hostname, origin } = new URL(header);
  return (protocol === 'http:' || protocol === 'https:') && origin === header && isLoopback(hostname);
}
