import ipaddr from 'ipaddr.js';

/**
 * Whether an address or a host name is this machine seen from itself. The one answer for listeners (who may reach this
 * port?), `Host` and `Origin` headers (does a browser page come in under a foreign name?) and their warnings.
 *
 * Addresses: 127.0.0.0/8, ::1, and 127.0.0.0/8 mapped into IPv6 (`::ffff:127.0.0.1`). Names: `localhost` and whatever is
 * below it, which no DNS may delegate (RFC 6761, section 6.3). Case, one trailing dot and the brackets of a URL do not
 * matter. Nothing else: names of /etc/hosts, short forms such as `127.1` and numbers are not looked up and not loopback.
 *
 * @param host an address or a name, without a port
 */
export function isLoopback(host: string): boolean {
  const text = host.toLowerCase();
  if (text.startsWith('[') !== text.endsWith(']')) return false;
  const bare = text.startsWith('[') ? text.slice(1, -1) : text.replace(/\.$/, '');
  if (ipaddr.IPv6.isValid(bare) || ipaddr.IPv4.isValidFourPartDecimal(bare)) {
    return ipaddr.process(bare).range() === 'loopback';
  }
  return /^([a-z0-9_-]+\.)*localhost$/.test(bare) && !text.startsWith('[');
}

/**
 * Whether the `Host` header of a request is loopback. A listener that only this machine should reach answers no other: a
 * web page whose name was made to point at 127.0.0.1 comes in under that name (DNS rebinding).
 *
 * @param header `host` or `host:port`; undefined and everything that is neither is not loopback
 */
export function isLoopbackAuthority(header: string | undefined): boolean {
  if (header === undefined || !URL.canParse(`http://${header}/`)) return false;
  const { host, hostname, href } = new URL(`http://${header}/`);
  return href === `http://${host}/` && isLoopback(hostname);
}

/** Whether an `Origin` header names a page of this machine, served by HTTP or HTTPS. */
export function isLoopbackOrigin(header: string): boolean {
  if (!URL.canParse(header)) return false;
  const { protocol, hostname, origin } = new URL(header);
  return (protocol === 'http:' || protocol === 'https:') && origin === header && isLoopback(hostname);
}
