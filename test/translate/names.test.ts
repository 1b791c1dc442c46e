import { describe, expect, it } from 'vitest';
import {
  claimKey,
  claimValue,
  host,
  isDnsName,
  isIpAddress,
  namespaceName,
  objectName,
  port,
  resourceId,
  targetName,
  urlPath,
} from '../../src/translate/names.ts';

const long = (length: number): string => 'a'.repeat(length);

/** Values that each constructor accepts unchanged, and values that it rejects. */
const rules = {
  namespaceName: {
    construct: namespaceName,
    accepts: ['a', 'a-1', '1', long(63)],
    rejects: ['', 'A', '-a', 'a-', 'a.b', 'a/b', 'a:b', 'a\n', long(64)],
  },
  objectName: {
    construct: objectName,
    accepts: ['a', 'a.b', 'a-1.2', long(253)],
    rejects: ['', '.a', 'a.', 'a..b', 'a/b', 'a_b', 'a\n', long(254)],
  },
  host: {
    construct: host,
    accepts: ['tool.default.svc.cluster.local', 'a', '10.0.0.1', '[::1]', '[2001:db8::7]', '[::ffff:10.0.0.1]'],
    rejects: [
      `[${'0'.repeat(40)}::1]`,
      ...['localhost', 'a.localhost', 'localhost.localdomain', 'ip6-localhost', 'ip6-loopback'],
      ...['', '::1', '2001:db8::7', '[10.0.0.1]', '[]', '[::1', '[::1%eth0]', '[::g]', '[1:2]'],
      ...['10.0.0.256', '010.0.0.1', '10.0.0', '1', '0x7f.1', 'a.1', 'a:80', 'a/b', 'a@b', 'a b', 'a.', 'Ａ', 'a\n'],
    ],
  },
  urlPath: {
    construct: urlPath,
    accepts: ['', '/', '/mcp', '/a//b', '/%20', `/${long(1023)}`],
    rejects: [
      'mcp',
      '//a',
      '/a?b',
      '/a#b',
      '/a\\b',
      '/a b',
      '/a\nb',
      '/a\u0000',
      '/\u0085',
      '/\ud800',
      `/${long(1024)}`,
    ],
  },
  claimKey: {
    construct: claimKey,
    accepts: ['sub', 'a b', '𝒶', long(253)],
    rejects: ['', 'a\u0000', '\u007f', '\ud800', long(254)],
  },
  claimValue: {
    construct: claimValue,
    accepts: ['me', ' ', '*', '𝒶'.repeat(1024)],
    rejects: ['', 'a\tb', '\udc00a', long(1025)],
  },
} as const;

describe.each(Object.entries(rules))('%s', (_, { construct, accepts, rejects }) => {
  it.each([...accepts])('accepts %j', (text) => {
    expect(construct(text)).toBe(text);
  });

  it.each([...rejects])('rejects %j', (text) => {
    expect(construct(text)).toBeUndefined();
  });
});

describe('a port', () => {
  it.each([1, 80, 65_535])('accepts %d', (value) => {
    expect(port(value)).toBe(value);
  });

  it.each([0, -1, 65_536, 1.5, Number.NaN, Number.POSITIVE_INFINITY])('rejects %d', (value) => {
    expect(port(value)).toBeUndefined();
  });
});

describe('a target name', () => {
  it('consists of namespace, service and a further port', () => {
    expect(targetName('default', 'tool')).toBe('default/tool');
    expect(targetName('default', 'tool', 9000)).toBe('default/tool/9000');
  });

  it.each<[string, string, number?]>([
    ['', 'tool'],
    ['default', ''],
    ['a/b', 'tool'],
    ['default', 'tool/80'],
    ['default', 'to:ol'],
    ['default', 'a.b'],
    ['default', 'tool', 0],
    ['default', 'tool', 65_536],
    ['default', 'tool', 1.5],
    ['default', 'tool', Number.NaN],
  ])('rejects %j, %j and %j', (namespace, service, further) => {
    expect(targetName(namespace, service, further)).toBeUndefined();
  });
});

describe('a resource id', () => {
  it('is "*" for all of a kind, and else the full name', () => {
    expect(resourceId({ all: true })).toBe('*');
    expect(resourceId({ all: false, target: 'default/tool', item: 'a:b' })).toBe('default/tool:a:b');
    expect(resourceId({ all: false, target: 'default/tool', item: '*' })).toBe('default/tool:*');
    expect(resourceId({ all: false, target: 'default/tool', item: '\u2028' })).toBe('default/tool:\u2028');
  });

  it.each([
    ['', 'run'],
    ['tool', ''],
    ['*', 'run'],
    ['default/*', 'run'],
    ['tool', 'a\u0000b'],
    ['tool', '\ud800'],
    ['tool', long(1024)],
  ])('rejects %j and %j', (target, item) => {
    expect(resourceId({ all: false, target, item })).toBeUndefined();
  });
});

describe('an address', () => {
  it('is an IP address without brackets, or a DNS name that is not an IP address', () => {
    expect(['10.0.0.1', '::1', '2001:DB8::7', '::ffff:10.0.0.1'].filter((text) => !isIpAddress(text))).toEqual([]);
    expect(['', '[::1]', '10.0.0', 'a', '::1%1', '1::2::3', '[::1]@[::1'].filter(isIpAddress)).toEqual([]);
    expect(['a', 'mcp.example.com', '1.a'].filter((text) => !isDnsName(text))).toEqual([]);
    expect(['', '10.0.0.1', 'a.1', '*.example.com', 'A'].filter(isDnsName)).toEqual([]);
  });
});
