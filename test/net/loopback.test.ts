import { describe, expect, it } from 'vitest';
import { isLocalName, isLoopback, isLoopbackAuthority, isLoopbackOrigin } from '../../src/net/loopback.ts';

/** Addresses and names, and whether they are this machine seen from itself. */
const hosts: readonly (readonly [host: string, loopback: boolean])[] = [
  ['127.0.0.1', true],
  ['127.9.9.9', true],
  ['127.255.255.255', true],
  ['::1', true],
  ['0:0:0:0:0:0:0:1', true],
  ['[::1]', true],
  ['::ffff:127.0.0.1', true],
  ['::FFFF:127.0.0.1', true],
  ['::ffff:7f00:1', true],
  ['localhost', true],
  ['LOCALHOST', true],
  ['localhost.', true],
  ['app.localhost', true],
  ['a.b.localhost', true],
  ['', false],
  ['.', false],
  ['.localhost', false],
  ['localhost..', false],
  ['[localhost]', false],
  ['[::1', false],
  ['::1]', false],
  ['128.0.0.1', false],
  ['0.0.0.0', false],
  ['::', false],
  ['10.0.0.1', false],
  ['::127.0.0.1', false],
  ['::7f00:1', false],
  ['::ffff:10.0.0.1', false],
  ['fe80::1', false],
  // Node takes the zone for a part of an address, and the parser of addresses does not.
  ['::%fff:127.0.0.1', false],
  ['[::%x:127.0.0.1]', false],
  ['[0::1%25lo]', false],
  ['[127.0.0.1]', false],
  ['127.0.0.1.', true],
  ['::1%lo', false],
  ['127.1', false],
  ['0x7f.0.0.1', false],
  ['0177.0.0.1', false],
  ['::ffff:0x7f.0.0.1', false],
  ['2130706433', false],
  ['127.0.0.1.evil.example', false],
  ['localhost.evil.example', false],
  ['notlocalhost', false],
  ['localhost.localdomain', false],
  ['ip6-localhost', false],
  ['localhost:80', false],
  ['user@localhost', false],
  ['evil.example/localhost', false],
  ['evil.example .localhost', false],
];

describe('loopback', () => {
  it.each(hosts)('"%s": %s', (host, loopback) => {
    expect(isLoopback(host)).toBe(loopback);
  });

  it('of a Host header, with or without a port', () => {
    const accepted = [
      'localhost',
      'localhost:9097',
      '127.0.0.1:1',
      '[::1]:9097',
      '[::ffff:127.0.0.1]:1',
      'a.localhost',
    ];
    expect(accepted.filter((header) => !isLoopbackAuthority(header))).toEqual([]);
    const refused = [
      undefined,
      '',
      'evil.example',
      'localhost:99999',
      'u@localhost',
      'localhost/x',
      '::1',
      'localhost:1:2',
    ];
    expect(refused.filter(isLoopbackAuthority)).toEqual([]);
  });

  it('of an Origin header, as browsers spell it', () => {
    const accepted = ['http://localhost', 'https://app.localhost:1', 'http://127.0.0.1:6274', 'http://[::1]:6274'];
    expect(accepted.filter((header) => !isLoopbackOrigin(header))).toEqual([]);
    const refused = ['null', '', 'file://', 'http://localhost/', 'ftp://localhost', 'http://localhost.evil.example'];
    expect(refused.filter(isLoopbackOrigin)).toEqual([]);
  });
});

describe('a name of the own machine', () => {
  it.each([
    'localhost',
    'LOCALHOST',
    'localhost.',
    'app.localhost',
    'localhost.localdomain',
    'Localhost.LocalDomain.',
    'a.localhost.localdomain',
    'localhost4',
    'localhost4.localdomain4',
    'localhost6',
    'localhost6.localdomain6',
    'ip6-localhost',
    'ip6-loopback',
    'ipv6-loopback',
    'ip6-allnodes',
    'ip6-localnet',
    'loopback',
    'broadcasthost',
    '_outbound',
  ])('is %s', (name) => {
    expect(isLocalName(name)).toBe(true);
  });

  it.each([
    '',
    '.',
    'mcp',
    'mcp.example',
    'localhost.example',
    'notlocalhost',
    'ip6-localhost.example',
    '127.0.0.1',
    '::1',
  ])('is not "%s"', (name) => {
    expect(isLocalName(name)).toBe(false);
  });

  it('is every loopback name, since a name in doubt is refused by both', () => {
    const names = hosts.filter(([host, loopback]) => loopback && /[a-z]/i.test(host) && !host.includes(':'));
    expect(names.map(([host]) => host).filter((host) => !isLocalName(host))).toEqual([]);
  });
});
