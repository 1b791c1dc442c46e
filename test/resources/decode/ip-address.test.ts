import { isIP } from 'node:net';
import fc from 'fast-check';
import ipaddr from 'ipaddr.js';
import { describe, expect, it } from 'vitest';
import { parseIp } from '../../../src/resources/decode/ip-address.ts';

const hexDigits = '0123456789abcdefABCDEF';
const word = fc.string({ unit: fc.constantFrom(...hexDigits, '0'), minLength: 0, maxLength: 5 });
const nearIpv6 = fc.array(word, { minLength: 1, maxLength: 9 }).map((words) => words.join(':'));
const nearIpv4 = fc.array(fc.oneof(fc.nat(300).map(String), fc.constantFrom('', '00', '01', '1e1', '0x1')), {
  minLength: 3,
  maxLength: 5,
});
const dotted = nearIpv4.map((octets) => octets.join('.'));
const mixed = fc
  .tuple(fc.constantFrom('::', '::ffff:', '1:2:3:4:5:6:', '1::', '1:2:3:4:5:6:7:'), dotted)
  .map(([a, b]) => a + b);
const near = fc.oneof(nearIpv6, dotted, mixed, fc.ipV4(), fc.ipV6());

function isIpv4Compatible(text: string): boolean {
  const bytes = ipaddr.parse(text).toByteArray();
  return bytes.length === 16 && bytes.slice(0, 12).every((byte) => byte === 0);
}

describe('an IP address', () => {
  it('is valid exactly when Node accepts it', () => {
    fc.assert(
      fc.property(near, (text) => {
        expect(parseIp(text)?.version ?? 0).toBe(isIP(text));
      }),
      { numRuns: 2000 },
    );
  });

  it('is formatted as in a URL, but for the dots of a mapped one', () => {
    const sample = fc.oneof(fc.ipV6(), nearIpv6).filter((text) => isIP(text) === 6);
    fc.assert(
      fc.property(sample, (text) => {
        const spelt = parseIp(text)?.text ?? '';
        expect(`[${spelt}]`.replace(/::ffff:(\d+\.){3}\d+/, '')).toBe(
          spelt.includes('.') ? '[]' : new URL(`http://[${text}]`).hostname,
        );
        expect(parseIp(spelt)).toEqual(parseIp(text));
      }),
    );
  });

  it('has the scope of its range', () => {
    const other = ['unspecified', 'linkLocal', 'multicast', 'broadcast'];
    const scope = (text: string): string => {
      const range = ipaddr.process(text).range();
      if (range === 'loopback') return range;
      return other.includes(range) ? 'other' : 'host';
    };
    // We give a deprecated IPv4-compatible address (::a.b.c.d) the scope of its IPv4 address; ipaddr.js does not.
    const sample = fc.oneof(fc.ipV4(), fc.ipV6(), mixed).filter((text) => isIP(text) !== 0 && !isIpv4Compatible(text));
    fc.assert(
      fc.property(sample, (text) => {
        expect(parseIp(text)?.scope).toBe(scope(text));
      }),
    );
  });
});

describe('the scope of an IP address', () => {
  it.each([
    '127.0.0.1',
    '127.255.255.254',
    '::1',
    '0:0:0:0:0:0:0:1',
    '::ffff:127.0.0.1',
    '::ffff:7f00:1',
    '::127.0.0.1',
  ])('%s is loopback', (text) => expect(parseIp(text)?.scope).toBe('loopback'));

  it.each([
    '0.0.0.0',
    '0.1.2.3',
    '::',
    '::0.0.0.0',
    '169.254.169.254',
    '::ffff:a9fe:a9fe',
    'fe80::',
    'febf::1',
    '239.1.1.1',
    'ff00::',
  ])('%s is other: it cannot be the address of a Service', (text) => expect(parseIp(text)?.scope).toBe('other'));

  it.each([
    '10.0.0.1',
    '169.253.1.1',
    '223.255.255.255',
    '240.0.0.1',
    'fec0::1',
    'fd00::1',
    '2001:db8::',
    '64:ff9b::7f00:1',
  ])('%s is host', (text) => expect(parseIp(text)?.scope).toBe('host'));
});
