import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

/** Why an address is not connected to, in a word; `undefined` when it may be. */
export type AddressRule = (address: string) => string | undefined;

/** Admits every address, for whoever wants documents of his own network. */
export const anyAddress: AddressRule = () => undefined;

/**
 * Admits addresses of the public Internet only. The others are called `loopback`, `private`, `linkLocal` and whatever
 * else ipaddr.js calls them.
 *
 * Only what is known to be public passes: IPv4 outside of every special range, and IPv6 of the block that IANA hands
 * out (2000::/3) outside of every special range. So addresses that carry an IPv4 address inside are refused however
 * they do it: mapped, compatible, NAT64, 6to4, Teredo.
 * @see https://www.iana.org/assignments/iana-ipv4-special-registry
 * @see https://www.iana.org/assignments/iana-ipv6-special-registry
 */
export const publicAddress: AddressRule = (address) => {
  if (isIP(address) === 0) return 'unknown';
  const parsed = ipaddr.parse(address);
  const range = parsed.range();
  if (range !== 'unicast') return range;
  return parsed instanceof ipaddr.IPv6 && !parsed.match(globalUnicast) ? 'reserved' : undefined;
};

const globalUnicast = ipaddr.IPv6.parseCIDR('2000::/3');

/** Whether only this machine can reach what listens on this address. */
export function isLoopback(address: string): boolean {
  return isIP(address) !== 0 && ipaddr.process(address).range() === 'loopback';
}
