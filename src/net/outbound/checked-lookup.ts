import type { LookupAddress } from 'node:dns';
import type { LookupFunction } from 'node:net';
import type { HostLookups } from './host-lookups.ts';

/**
 * Creates a `dns.lookup` that fails when one address of the host is refused. The addresses that are checked are the ones
 * that are connected to, so that a name cannot resolve differently the second time (DNS rebinding). Node calls it for names
 * only, not for IP addresses.
 *
 * @param problemOf why an address is refused
 * @param refusal the error for the host, with that reason
 */
export function checkedLookup(
  lookups: HostLookups,
  problemOf: (address: string) => string | undefined,
  refusal: (host: string, address: string, problem: string) => Error,
): LookupFunction {
  return (host, { all, family }, callback) => {
    const found = (addresses: readonly LookupAddress[]): void => {
      const checked = addresses.map(({ address }) => ({ address, problem: problemOf(address) }));
      const blocked = checked.find(({ problem }) => problem !== undefined);
      const usable = addresses.filter((one) => !isOther(family, one.family));
      const [first] = usable;
      if (blocked?.problem !== undefined) callback(refusal(host, blocked.address, blocked.problem), []);
      else if (all === true || first === undefined) callback(null, [...usable]);
      else callback(null, first.address, first.family);
    };
    lookups.addresses(host).then(found, (error: NodeJS.ErrnoException) => callback(error, []));
  };
}

/** @param wanted 4 or 6, as a number or a word; anything else is both */
function isOther(wanted: number | string | undefined, family: number): boolean {
  if (wanted === 4 || wanted === 'IPv4') return family !== 4;
  return (wanted === 6 || wanted === 'IPv6') && family !== 6;
}
