import ipaddr from 'ipaddr.js';

/** Why no request goes to an address: what a target must never reach on the gateway's own machine or link. */
export type Refusal = 'loopback' | 'link-local' | 'unspecified' | 'multicast' | 'broadcast' | 'no address';

/**
 * Says why a target may not be reached at this address; `undefined` when it may. Private ranges may: clusters live there.
 *
 * An IPv6 address that carries an IPv4 address (mapped, compatible, translated by NAT64, 6to4) is as refused as the one
 * it carries, since some machine on the way takes it out again.
 *
 * @param text an IP address as a socket or a look-up yields it; anything else is refused as `no address`
 */
export function refusalOf(text: string): Refusal | undefined {
  if (!ipaddr.isValid(text)) return 'no address';
  const address = ipaddr.parse(text);
  const own = refusedRanges.get(address.range());
  if (own !== undefined || address instanceof ipaddr.IPv4) return own;
  for (const carried of carriedBy(address.toByteArray())) {
    const refusal = refusedRanges.get(carried.range());
    if (refusal !== undefined) return refusal;
  }
  return undefined;
}

const refusedRanges: ReadonlyMap<string, Refusal> = new Map<string, Refusal>([
  ['loopback', 'loopback'],
  ['linkLocal', 'link-local'],
  ['unspecified', 'unspecified'],
  ['multicast', 'multicast'],
  ['broadcast', 'broadcast'],
]);

/** Where an IPv6 address can carry an IPv4 one: the prefix's bytes, and the offset of the four bytes. */
const carriers: readonly { readonly prefix: readonly number[]; readonly at: number }[] = [
  { prefix: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], at: 12 },
  { prefix: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff], at: 12 },
  { prefix: [0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0], at: 12 },
  { prefix: [0, 0x64, 0xff, 0x9b], at: 12 },
  { prefix: [0x20, 0x02], at: 2 },
];

function carriedBy(bytes: readonly number[]): readonly ipaddr.IPv4[] {
  return carriers
    .filter(({ prefix }) => prefix.every((byte, index) => bytes[index] === byte))
    .map(({ at }) => new ipaddr.IPv4(bytes.slice(at, at + 4)));
}
