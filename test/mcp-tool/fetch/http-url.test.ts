import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { allowPublicAddresses } from '../../../src/mcp-tool/fetch/address-policy.ts';
import { parseHttpUrl } from '../../../src/mcp-tool/fetch/http-url.ts';

const read = (url: string): URL => parseHttpUrl(url, undefined, allowPublicAddresses);

describe('a URL', () => {
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
  ])('%s is rejected for its address', (url) => {
    expect(() => read(url)).toThrow('not public');
  });

  it('is rejected for its address in every notation', () => {
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
    '%s is rejected for its credentials, which the message does not repeat',
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
});

describe('the length of a URL', () => {
  it.each(['http://', 'http:', 'ftp:/', ' http:\\\\', '\nht\ttp:/\t/', '//', '/\n/'])(
    'is not that of a host that takes the URL parser long: %j',
    (before) => {
      const host = '\u4e00'.repeat(1_025);
      const base = new URL('http://example.com/');
      expect(() => parseHttpUrl(`${before}${host}/`, base, allowPublicAddresses)).toThrow('The host is longer than');
      expect(() => parseHttpUrl(`${before}h\t${host}`, base, allowPublicAddresses)).toThrow('The host is longer than');
    },
  );

  it('may be that of a path and a query', () => {
    const long = 'x'.repeat(5_000);
    expect(read(`http://example.com/${long}?${long}#${long}`).pathname).toBe(`/${long}`);
    for (const redirect of [`/${long}`, `?${long}`, `a/${long}`, long]) {
      expect(parseHttpUrl(redirect, new URL('http://example.com/'), allowPublicAddresses).hostname).toBe('example.com');
    }
  });
});

describe('a URL of the Internet', () => {
  it('with a public host is accepted', () => {
    expect(read('https://example.com:8443/a?b').href).toBe('https://example.com:8443/a?b');
    expect(read('http://1.1.1.1/').hostname).toBe('1.1.1.1');
    expect(read('http://[2606:4700::1111]/').hostname).toBe('[2606:4700::1111]');
  });
});
