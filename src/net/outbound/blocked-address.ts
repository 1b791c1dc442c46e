import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import { isLocalName } from '../loopback.ts';

/**
 * The reason why nobody else may choose an address for requests of ours: they would reach our own machine or link. Not the
 * question of loopback.ts, which decides who may reach a listener.
 */
export type BlockReason = 'loopback' | 'link-local' | 'unspecified' | 'multicast' | 'broadcast' | 'no address';

/**
 * Returns why a target may not have this host, as the end of a sentence: "is …". `undefined` for an address that is not
 * blocked, and for a name that has to be looked up.
 */
export function hostProblem(host: string): string | undefined {
  if (isIP(host) === 0) return isLocalName(host) ? "a name of the gateway's own machine" : undefined;
  const reason = blockReasonOf(host);
  return reason === undefined ? undefined : `a ${reason} address`;
}

/**
 * Returns why a target may not have this address, or `undefined` when it may. Private ranges are allowed: clusters use
 * them.
 *
 * An IPv6 address that embeds an IPv4 address (mapped, compatible, translated by NAT64, 6to4) is blocked like the
 * embedded one, since a translator on the path extracts it.
 *
 * @param text an IP address as a socket or a lookup returns it; anything else is blocked as `no address`
 */
export function blockReasonOf(text: string): BlockReason | undefined {
  if (!ipaddr.isValid(text)) return 'no address';
  const address = ipaddr.parse(text);
  const own = blockedRanges.get(address.range());
  if (own !== undefined || address instanceof ipaddr.IPv4) return own;
  for (const embedded of embeddedIpv4(address.toByteArray())) {
    const reason = blockedRanges.get(embedded.range());
    if (reason !== undefined) return reason;
  }
  return undefined;
}

const blockedRanges: ReadonlyMap<string, BlockReason> = new Map<string, BlockReason>([
  ['loopback', 'loopback'],
  ['linkLocal', 'link-local'],
  ['unspecified', 'unspecified'],
  ['multicast', 'multicast'],
  ['broadcast', 'broadcast'],
]);

/** IPv6 prefixes that embed an IPv4 address: the bytes of the prefix, and the offset of the four bytes. */
const embeddings: readonly { readonly prefix: readonly number[]; readonly offset: number }[] = [
  { prefix: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], offset: 12 },
  { prefix: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff], offset: 12 },
  { prefix: [0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0], offset: 12 },
  { prefix: [0, 0x64, 0xff, 0x9b], offset: 12 },
  { prefix: [0x20, 0x02], offset: 2 },
];

function embeddedIpv4(bytes: readonly number[]): readonly ipaddr.IPv4[] {
  return embeddings
    .filter(({ prefix }) => prefix.every((byte, index) => bytes[index] === byte))
    .map(({ offset }) => new ipaddr.IPv4(bytes.slice(offset, offset + 4)));
}

/**
 * Returns the range of an address that is not of the public Internet, in ipaddr.js's words: `private`, `uniqueLocal`,
 * `loopback` and so on. Public are IPv4 outside of every special-purpose range, and IPv6 within 2000::/3 (global unicast)
 * outside of every special-purpose range: no address that embeds an IPv4 address is (mapped, compatible, NAT64, 6to4,
 * Teredo).
 * @see https://www.iana.org/assignments/iana-ipv4-special-registry
 * @see https://www.iana.org/assignments/iana-ipv6-special-registry
 */
export function nonPublicRangeOf(text: string): string | undefined {
  if (isIP(text) === 0 || !ipaddr.isValid(text)) return 'unknown';
  const address = ipaddr.parse(text);
  const range = address.range();
  if (range !== 'unicast') return range;
  return address instanceof ipaddr.IPv6 && !address.match(globalUnicast) ? 'reserved' : undefined;
}

const globalUnicast = ipaddr.IPv6.parseCIDR('2000::/3');
