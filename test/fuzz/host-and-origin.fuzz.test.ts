import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import { describe, expect } from 'vitest';
import { targetUrl } from '../../src/gateway/network/target-url.ts';
import { formatHostPort, parseHostPort } from '../../src/net/host-port.ts';
import { isLoopback, isLoopbackAuthority, isLoopbackOrigin } from '../../src/net/loopback.ts';
import { blockReasonOf } from '../../src/net/outbound/blocked-address.ts';
import { fuzz } from '../support/fuzz/fuzz.ts';

const corpus = new URL('./corpus/host-and-origin/', import.meta.url);
const dictionary = [
  '127.0.0.1',
  '::1',
  '[',
  ']',
  ':',
  '.',
  '@',
  '/',
  '\\',
  '#',
  '?',
  '%',
  'localhost',
  '0x7f',
  '::ffff:',
  ' ',
  '\x00',
  '\xff',
];

/** What a URL parser, and therefore a browser, takes for the host of `http://<text>/`. */
function hostInUrl(text: string): string | undefined {
  return URL.parse(`http://${text}/`)?.hostname.replace(/^\[|\]$/g, '');
}

function isOwnMachine(host: string): boolean {
  if (isIP(host) !== 0) return ipaddr.process(host).range() === 'loopback';
  return host === 'localhost' || host === 'localhost.' || /\.localhost\.?$/.test(host);
}

describe('the name of a host', () => {
  fuzz('that counts as loopback is that of this machine for every reader', {
    corpus,
    dictionary,
    run(input) {
      const text = input.toString('latin1');
      if (isLoopbackAuthority(text)) expect(isOwnMachine(hostInUrl(text) ?? '')).toBe(true);
      if (isLoopbackOrigin(text)) expect(isOwnMachine(new URL(text).hostname.replace(/^\[|\]$/g, ''))).toBe(true);
      if (isLoopback(text) && isIP(text) !== 0) expect(blockReasonOf(text)).toBe('loopback');
    },
  });

  fuzz('makes the URL of a target without a user, another port or another path', {
    corpus,
    dictionary,
    run(input) {
      const host = input.toString('latin1');
      const url = targetUrl({ host, port: 8080, path: '/mcp' });
      if (url === undefined) return;
      expect(url).toMatchObject({ username: '', password: '', port: '8080', pathname: '/mcp', search: '', hash: '' });
      expect(hostInUrl(host)).toBe(url.hostname.replace(/^\[|\]$/g, ''));
    },
  });

  fuzz('and its port are read as they are written', {
    corpus,
    dictionary,
    run(input) {
      const parsed = parseHostPort(input.toString('latin1'));
      if (parsed === undefined) return;
      expect(parseHostPort(formatHostPort(parsed))).toEqual(parsed);
      expect(parsed.port).toBeLessThanOrEqual(65_535);
    },
  });
});
