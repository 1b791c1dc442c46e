import { promises as dns } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { firstAddresses } from '../../net/outbound/host-lookups.ts';
import { ConversionError } from '../conversion-error.ts';
import type { Resolve } from '../model.ts';
import { type AddressPolicy, requireAllowedAddress } from './address-policy.ts';

/** Resolves as the operating system does: its hosts file, then DNS. */
export const systemResolve: Resolve = (hostname) => dns.lookup(hostname, { all: true });

/**
 * Creates the `lookup` of a connection. The addresses checked are those connected to, so a name that resolves
 * differently the second time (DNS rebinding) cannot bypass the policy. A single forbidden address fails the name.
 */
export function createGuardedLookup(resolve: Resolve, policy: AddressPolicy): LookupFunction {
  return (hostname, options, callback) => {
    resolveAllowed(hostname, resolve, policy).then(
      ([first, ...rest]) => {
        if (options.all) callback(null, [first, ...rest]);
        else callback(null, first.address, first.family);
      },
      (error: unknown) => callback(error instanceof Error ? error : new Error(String(error)), '', 0),
    );
  };
}

interface ResolvedAddress {
  readonly address: string;
  readonly family: number;
}

async function resolveAllowed(
  hostname: string,
  resolve: Resolve,
  policy: AddressPolicy,
): Promise<[ResolvedAddress, ...ResolvedAddress[]]> {
  const [first, ...rest] = firstAddresses(await resolve(hostname));
  if (first === undefined) throw new ConversionError('upstream', `${hostname} has no address.`);
  for (const { address } of [first, ...rest]) requireAllowedAddress(hostname, address, policy);
  return [first, ...rest];
}
