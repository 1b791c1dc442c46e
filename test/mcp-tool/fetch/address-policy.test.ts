import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { allowPublicAddresses } from '../../../src/mcp-tool/fetch/address-policy.ts';
import { parseHttpUrl } from '../../../src/mcp-tool/fetch/http-url.ts';

describe('an address', () => {
  it.each([
    '0.0.0.0',
    '0.1.2.3',
    '10.1.2.3',
    '100.64.0.1',
    '127.0.0.1',
    '127.255.255.254',
    '169.254.169.254',
    '172.16.0.1',
    '172.31.255.255',
    '192.0.0.8',
    '192.0.2.1',
    '192.88.99.1',
    '192.168.1.1',
    '198.18.0.1',
    '198.51.100.1',
    '203.0.113.1',
    '224.0.0.1',
    '239.255.255.255',
    '240.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    '::7f00:1',
    '::ffff:127.0.0.1',
    '::ffff:8.8.8.8',
    '::ffff:0:127.0.0.1',
    '64:ff9b::7f00:1',
    '64:ff9b:1::1',
    '100::1',
    '2001::1',
    '2001:db8::1',
    '2002:7f00:1::',
    '3fff::1',
    '4000::1',
    '5f00::1',
    'fc00::1',
    'fd12::1',
    'fe80::1',
    'fe80::1%eth0',
    'fec0::1',
    'ff02::1',
    'not an address',
    '',
  ])('%s is not public', (address) => {
    expect(allowPublicAddresses(address)).toBeTypeOf('string');
  });

  it.each(['1.1.1.1', '8.8.8.8', '93.184.216.34', '172.32.0.1', '2606:4700::1111', '2a00:1450:4001:80b::200e'])(
    '%s is public',
    (address) => {
      expect(allowPublicAddresses(address)).toBeUndefined();
    },
  );
});

describe('a URL', () => {
  const read = (url: string): URL => parseHttpUrl(url, undefined, allowPublicAddresses);

  it.each([
    'http://127.0.0.1/',
    'http://127.1/',
    'http://127.0.0.1./',
    'http://0x7f000001/',
    'http://0x7f.1/',
    'http://2130706433/',
    'http://0177.0.0.1/',
    'http://①②⑦.0.0.1/',
    'http://%31%32%37.0.0.1/',
    'http://[::1]:8080/',
    'http://[::ffff:127.0.0.1]/',
    'http://[::ffff:7f00:1]/',
    'http://[64:ff9b::169.254.169.254]/',
    'https://10.0.0.1/',
    'http:\\\\127.0.0.1\\',
    'http:127.0.0.1',
    'http://0/',
  ])('%s is refused for its address', (url) => {
    expect(() => read(url)).toThrow('not public');
  });

  it('is refused for its address in every way to write it', () => {
    const part = fc.constantFrom(
      (n: number) => String(n),
      (n: number) => `0x${n.toString(16)}`,
      (n: number) => `0${n.toString(8)}`,
    );
    fc.assert(
      fc.property(
        fc.constantFrom(10, 127),
        fc.nat(0xffffff),
        fc.integer({ min: 1, max: 4 }),
        part,
        (first, rest, count, show) => {
          const parts = [first, rest >>> 16, (rest >>> 8) & 255, rest & 255];
          const head = parts.slice(0, count - 1);
          const tail = parts.slice(count - 1).reduce((sum, byte) => sum * 256 + byte, 0);
          const url = `http://${[...head, tail].map(show).join('.')}/`;
          expect(() => read(url)).toThrow('not public');
        },
      ),
    );
  });

  it.each(['http://user@example.com/', 'http://:secret@example.com/', 'http://user:secret@1.1.1.1/'])(
    '%s is refused for its credentials, which are not repeated',
    (url) => {
      expect(() => read(url)).toThrow(/^A URL with a user name or a password in it is not fetched\.$/);
    },
  );

  it.each(['http://', 'http://[::1/', 'http://a b/', 'http://1.2.3.4.5/', 'http://example.com:99999/'])(
    '%s is malformed',
    (url) => {
      expect(() => read(url)).toThrow('Malformed URL');
    },
  );

  it('may be public', () => {
    expect(read('https://example.com:8443/a?b').href).toBe('https://example.com:8443/a?b');
    expect(read('http://1.1.1.1/').hostname).toBe('1.1.1.1');
    expect(read('http://[2606:4700::1111]/').hostname).toBe('[2606:4700::1111]');
  });
});
