import { describe, expect, it } from 'vitest';
import { formatHostPort, parseHostPort } from '../../src/net/host-port.ts';

describe('host and port', () => {
  it.each([
    ['localhost:0', { host: 'localhost', port: 0 }],
    ['10.0.0.1:65535', { host: '10.0.0.1', port: 65_535 }],
    ['[::1]:8080', { host: '::1', port: 8080 }],
    ['a_b.c-d:1', { host: 'a_b.c-d', port: 1 }],
  ])('"%s" is read, and written as it was', (text, parsed) => {
    expect(parseHostPort(text)).toEqual(parsed);
    expect(formatHostPort(parsed)).toBe(text);
  });

  it.each(['', ':1', 'a', 'a:', 'a:65536', 'a:-1', '::1:80', '[::1]', '[a]:1', 'a:1:2', 'a b:1'])(
    '"%s" is neither',
    (text) => {
      expect(parseHostPort(text)).toBeUndefined();
    },
  );
});
