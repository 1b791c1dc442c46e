import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import { ConversionError } from '../conversion-error.ts';

/** Returns undefined if connecting to the address is allowed, else its reserved range, such as `loopback`. */
export type AddressPolicy = (address: string) => string | undefined;

export const allowAnyAddress: AddressPolicy = () => undefined;

/**
 * Allows public Internet addresses only (net/loopback.ts, in contrast, decides who may reach a listener): IPv4 outside
 * of every special-purpose range, and IPv6 within 2000::/3 (global unicast) outside of every special-purpose range.
 * IPv6 addresses that embed an IPv4 address are refused in every form: mapped, compatible, NAT64, 6to4, Teredo. Ranges
 * have ipaddr.js's names: `loopback`, `private`, `linkLocal` and so on.
 * @see https://www.iana.org/assignments/iana-ipv4-special-registry
 * @see https://www.iana.org/assignments/iana-ipv6-special-registry
 */
export const allowPublicAddresses: AddressPolicy = (address) => {
  if (isIP(address) === 0 || !ipaddr.isValid(address)) return 'unknown';
  const parsed = ipaddr.parse(address);
  const range = parsed.range();
  if (range !== 'unicast') return range;
  return parsed instanceof ipaddr.IPv6 && !parsed.match(globalUnicast) ? 'reserved' : undefined;
};

const globalUnicast = ipaddr.IPv6.parseCIDR('2000::/3');

/**
 * @param host as the caller wrote it, for the message
 * @throws ConversionError if the policy forbids the address
 */
export function requireAllowedAddress(host: string, address: string, policy: AddressPolicy): void {
  const range = policy(address);
  if (range === undefined) return;
  throw new ConversionError(
    'address',
    `${host} is at an address that is not public (${range}); only public hosts are fetched. ` +
      'Whoever runs this server can lift this with --allow-private-addresses.',
  );
}
