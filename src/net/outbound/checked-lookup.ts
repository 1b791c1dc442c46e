import { lookup } from 'node:dns';
import type { LookupFunction } from 'node:net';

/**
 * Creates a `dns.lookup` that fails when one address of the host is refused. The addresses that are checked are the ones
 * that are connected to, so that a name cannot resolve differently the second time (DNS rebinding). Node calls it for names
 * only, not for IP addresses.
 *
 * @param problemOf why an address is refused
 * @param refusal the error for the host, with that reason
 */
export function checkedLookup(
  problemOf: (address: string) => string | undefined,
  refusal: (host: string, address: string, problem: string) => Error,
): LookupFunction {
  return (host, options, callback) => {
    lookup(host, { ...options, all: true }, (error, addresses) => {
      if (error !== null) return callback(error, []);
      for (const { address } of addresses) {
        const problem = problemOf(address);
        if (problem !== undefined) return callback(refusal(host, address, problem), []);
      }
      const [first] = addresses;
      if (options.all === true || first === undefined) return callback(null, addresses);
      return callback(null, first.address, first.family);
    });
  };
}
