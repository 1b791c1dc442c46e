import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

/**
 * What kind of address it is, when it is not one on the public Internet: `loopback`, `private`, `linkLocal` and the
 * other names of ipaddr.js. `undefined` for a public address.
 *
 * Only what is known to be public passes: IPv4 outside of every special range, and IPv6 of the block that IANA hands
 * out (2000::/3) outside of every special range. So addresses that carry an IPv4 address inside are refused however
 * they do it: mapped, compatible, NAT64, 6to4, Teredo.
 * @see https://www.iana.org/assignments/iana-ipv4-special-registry
 * @see https://www.iana.org/assignments/iana-ipv6-special-registry
 */
export function nonPublicKind(address: string): string | undefined {
  if (isIP(address) === 0) return 'unknown';
  const parsed = ipaddr.parse(address);
  const range = parsed.range();
  if (range !== 'unicast') return range;
  return parsed instanceof ipaddr.IPv6 && !parsed.match(globalUnicast) ? 'reserved' : undefined;
}

const globalUnicast = ipaddr.IPv6.parseCIDR('2000::/3');

/** Whether only this machine can reach what listens on this address. */
export function isLoopback(address: string): boolean {
  return isIP(address) !== 0 && ipaddr.process(address).range() === 'loopback';
}
