import { promises as dns } from 'node:dns';
import type { LookupFunction } from 'node:net';
import type { AddressRule } from './address-policy.ts';
import { requireAdmitted } from './http-url.ts';
import type { Resolve } from '../model.ts';
import { Refusal } from '../conversion-error.ts';

/** The resolver of the machine: its hosts file, then DNS. */
export const systemResolve: Resolve = (hostname) => dns.lookup(hostname, { all: true });

/**
 * Resolves host names for the connections themselves. What passes here is exactly what is connected to, so a name that
 * answers differently the second time (DNS rebinding) gains nothing. One address that the rule does not admit refuses the name.
 */
export function guardedLookup(resolve: Resolve, rule: AddressRule): LookupFunction {
  return (hostname, options, callback) => {
    admitted(hostname, resolve, rule).then(
      ([first, ...rest]) => {
        if (options.all) callback(null, [first, ...rest]);
        else callback(null, first.address, first.family);
      },
      (error: unknown) => callback(error instanceof Error ? error : new Error(String(error)), '', 0),
    );
  };
}

interface Place {
  readonly address: string;
  readonly family: number;
}

async function admitted(hostname: string, resolve: Resolve, rule: AddressRule): Promise<[Place, ...Place[]]> {
  const [first, ...rest] = await resolve(hostname);
  if (first === undefined) throw new Refusal('upstream', `${hostname} has no address.`);
  for (const { address } of [first, ...rest]) requireAdmitted(hostname, address, rule);
  return [first, ...rest];
}
