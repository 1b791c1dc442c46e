import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { blockReasonOf, hostProblem } from '../../../src/net/outbound/blocked-address.ts';

describe('a blocked address', () => {
  it.each([
    ['127.0.0.1', 'loopback'],
    ['127.255.0.9', 'loopback'],
    ['127.1', 'loopback'],
    ['::1', 'loopback'],
    ['::ffff:127.0.0.1', 'loopback'],
    ['::ffff:7f00:1', 'loopback'],
    ['::127.0.0.1', 'loopback'],
    ['::ffff:0:127.0.0.1', 'loopback'],
    ['64:ff9b::127.0.0.1', 'loopback'],
    ['2002:7f00:1::', 'loopback'],
    ['0.0.0.0', 'unspecified'],
    ['0.1.2.3', 'unspecified'],
    ['::', 'unspecified'],
    ['169.254.169.254', 'link-local'],
    ['::ffff:169.254.169.254', 'link-local'],
    ['64:ff9b::a9fe:a9fe', 'link-local'],
    ['fe80::1', 'link-local'],
    ['fe80::1%eth0', 'link-local'],
    ['224.0.0.1', 'multicast'],
    ['ff02::1', 'multicast'],
    ['255.255.255.255', 'broadcast'],
    ['', 'no address'],
    ['localhost', 'no address'],
    ['1.2.3.4.5', 'no address'],
  ])('%s: %s', (address, reason) => {
    expect(blockReasonOf(address)).toBe(reason);
  });
});

describe('an allowed address', () => {
  it.each([
    '10.96.0.10',
    '192.168.1.1',
    '172.16.0.1',
    '100.64.0.1',
    '8.8.8.8',
    'fd00::1',
    '2001:4860:4860::8888',
    '::ffff:10.0.0.1',
  ])('%s', (address) => {
    expect(blockReasonOf(address)).toBeUndefined();
  });
});

it('an IPv4 address embedded in IPv6 is blocked for the same reason', () => {
  fc.assert(
    fc.property(fc.ipV4(), fc.constantFrom('::ffff:', '64:ff9b::', '::ffff:0:'), (address, prefix) => {
      expect(blockReasonOf(`${prefix}${address}`)).toBe(blockReasonOf(address));
    }),
  );
});

describe('the host of a target', () => {
  it.each([
    ['127.0.0.1', 'a loopback address'],
    ['fe80::1', 'a link-local address'],
    ['localhost', "a name of the gateway's own machine"],
    ['ip6-localhost', "a name of the gateway's own machine"],
    ['localhost.localdomain', "a name of the gateway's own machine"],
  ])('must not be %s, which is %s', (host, problem) => {
    expect(hostProblem(host)).toBe(problem);
  });

  it.each(['10.0.0.1', 'fd00::1', 'mcp-tool.default.svc.cluster.local'])('may be %s', (host) => {
    expect(hostProblem(host)).toBeUndefined();
  });
});
