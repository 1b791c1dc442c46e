import { nonPublicRangeOf } from '../../net/outbound/blocked-address.ts';
import { ConversionError } from '../conversion-error.ts';

/** Returns undefined if connecting to the address is allowed, else its reserved range, such as `loopback`. */
export type AddressPolicy = (address: string) => string | undefined;

/** Allows every address, as `--allow-private-addresses` does. */
export const allowAnyAddress: AddressPolicy = () => undefined;

/** Allows public Internet addresses only (net/loopback.ts, in contrast, decides who may reach a listener). */
export const allowPublicAddresses: AddressPolicy = nonPublicRangeOf;

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
