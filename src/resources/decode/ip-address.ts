/**
 * The use of an address as that of a Service. `other`: link-local, unspecified, multicast and broadcast addresses,
 * which cannot be one.
 */
type IpScope = 'host' | 'loopback' | 'other';

/** An IP address. `text` is canonical: dotted decimal, or RFC 5952. */
export interface IpAddress {
  readonly text: string;
  readonly version: 4 | 6;
  /**
   * For an IPv6 address that embeds an IPv4 address (`::ffff:127.0.0.1`, `::127.0.0.1`), the scope of the latter. It
   * decides where a target may be; net/loopback.ts decides who may reach a listener.
   */
  readonly scope: IpScope;
}

/**
 * Parses an address strictly: no leading zeros, shortened IPv4, zone, brackets or prefix length. Hand-written because
 * ipaddr.js accepts zones, long groups and leading zeros, and parses `::1.2.3.4` to `::ffff:1.2.3.4`; it is the oracle
 * of the tests.
 */
export function parseIp(text: string): IpAddress | undefined {
  const octets = parseIpv4(text);
  if (octets) return { text: octets.join('.'), version: 4, scope: scopeOf4(octets) };
  const words = parseIpv6(text);
  return words && { text: spelling(words), version: 6, scope: scopeOf6(words) };
}

function parseIpv4(text: string): readonly number[] | undefined {
  const parts = text.split('.', 5);
  if (parts.length !== 4 || !parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255))
    return undefined;
  return parts.map(Number);
}

/** Returns eight words of 16 bits. */
function parseIpv6(text: string): readonly number[] | undefined {
  if (text.length > 45) return undefined;
  const [head = '', tail, surplus] = text.split('::');
  if (surplus !== undefined) return undefined;
  const front = words(head, tail === undefined);
  if (tail === undefined) return front?.length === 8 ? front : undefined;
  const back = words(tail, true);
  if (!front || !back || front.length + back.length > 7) return undefined;
  return [...front, ...Array<number>(8 - front.length - back.length).fill(0), ...back];
}

/** Parses the words between colons. Only the last group of an address may be an IPv4 address, which is two words. */
function words(text: string, atEnd: boolean): readonly number[] | undefined {
  if (text === '') return [];
  const groups = text.split(':');
  const read = groups.map((group, position) => {
    if (/^[0-9a-fA-F]{1,4}$/.test(group)) return [Number.parseInt(group, 16)];
    const octets = atEnd && position === groups.length - 1 ? parseIpv4(group) : undefined;
    return octets && pairs(octets);
  });
  return read.every((group) => group !== undefined) ? read.flat() : undefined;
}

function pairs([a = 0, b = 0, c = 0, d = 0]: readonly number[]): readonly number[] {
  return [a * 256 + b, c * 256 + d];
}

function scopeOf4([a = 0, b = 0, c = 0, d = 0]: readonly number[]): IpScope {
  if (a === 127) return 'loopback';
  const broadcast = a === 255 && b === 255 && c === 255 && d === 255;
  const linkLocal = a === 169 && b === 254;
  const multicast = a >= 224 && a <= 239;
  return a === 0 || linkLocal || multicast || broadcast ? 'other' : 'host';
}

function scopeOf6(address: readonly number[]): IpScope {
  const [first = 0] = address;
  const embedded = embeddedIpv4(address);
  if (address.slice(0, 7).every((word) => word === 0) && address[7] === 1) return 'loopback';
  if (embedded) return scopeOf4(embedded);
  const linkLocal = first >= 0xfe80 && first <= 0xfebf;
  return linkLocal || first >= 0xff00 ? 'other' : 'host';
}

/**
 * The IPv4 address in an IPv4-mapped (`::ffff:a.b.c.d`) or a deprecated IPv4-compatible address (`::a.b.c.d`, also
 * `::`).
 */
function embeddedIpv4(address: readonly number[]): readonly number[] | undefined {
  const [high = 0, low = 0] = address.slice(6);
  const marker = address[5];
  if (address.slice(0, 5).some((word) => word !== 0) || (marker !== 0 && marker !== 0xffff)) return undefined;
  return [high >> 8, high & 255, low >> 8, low & 255];
}

/**
 * Formats as RFC 5952: lower case, no leading zeros, the first longest run of zeros as `::`, mapped addresses with
 * dots.
 */
function spelling(address: readonly number[]): string {
  const embedded = address[5] === 0xffff ? embeddedIpv4(address) : undefined;
  if (embedded) return `::ffff:${embedded.join('.')}`;
  const { start, length } = longestZeros(address);
  const hex = (part: readonly number[]): string => part.map((word) => word.toString(16)).join(':');
  return length < 2 ? hex(address) : `${hex(address.slice(0, start))}::${hex(address.slice(start + length))}`;
}

function longestZeros(address: readonly number[]): { readonly start: number; readonly length: number } {
  let best = { start: 0, length: 0 };
  let start = 0;
  for (const [position, word] of address.entries()) {
    if (word !== 0) start = position + 1;
    else if (position + 1 - start > best.length) best = { start, length: position + 1 - start };
  }
  return best;
}
