import { queryObjects } from 'node:v8';
import { describe, expect, it } from 'vitest';
import {
  type Identification,
  identify,
  type NodeClaims,
  readAuthority,
  readHostName,
  readRole,
} from '../../../src/serve/node/identification.ts';

const gatewayOf = (reading: ReturnType<typeof readHostName>): string =>
  reading.kind === 'gateway' ? reading.gateway : 'ill-formed';

describe('a host name', () => {
  it.each([
    ['mcp-gateway.default', 'default/mcp-gateway'],
    ['mcp-gateway.default.svc', 'default/mcp-gateway'],
    ['mcp-gateway.default.svc.cluster.local', 'default/mcp-gateway'],
    ['mcp-gateway.default.svc.cluster.local.', 'default/mcp-gateway'],
    ['MCP-Gateway.Default.SVC.Cluster.Local', 'default/mcp-gateway'],
    ['a.b.c.default.svc.cluster.local', 'default/a.b.c'],
    ['a.b.c.default', 'default/a.b.c'],
    ['gw.svc', 'svc/gw'],
    ['gw.svc.svc', 'svc/gw'],
    ['gw.svc.svc.cluster.local', 'svc/gw'],
    ['svc.default', 'default/svc'],
    ['1.2', '2/1'],
    ['gw.default.svc.example.org', 'ill-formed'],
    ['gw.default.svc.cluster.local.example.org', 'ill-formed'],
    ['gw.svc.cluster.local', 'ill-formed'],
    ['a.svc.b', 'ill-formed'],
    ['mcp-gateway', 'ill-formed'],
    ['mcp-gateway.', 'ill-formed'],
    ['.default', 'ill-formed'],
    ['gw..default', 'ill-formed'],
    ['gw.default..', 'ill-formed'],
    ['.', 'ill-formed'],
    [' ', 'ill-formed'],
    ['gw.default:9977', 'ill-formed'],
    ['gw_1.default', 'ill-formed'],
    ['-gw.default', 'ill-formed'],
    ['gw.default-', 'ill-formed'],
    ['gw.défaut', 'ill-formed'],
    ['gw/x.default', 'ill-formed'],
    [`${'g'.repeat(253)}.default`, `default/${'g'.repeat(253)}`],
    [`${'g'.repeat(254)}.default`, 'ill-formed'],
    [`gw.${'n'.repeat(63)}`, `${'n'.repeat(63)}/gw`],
    [`gw.${'n'.repeat(64)}`, 'ill-formed'],
  ])('%s names %s', (host, gateway) => {
    expect(gatewayOf(readHostName(host, 'cluster.local'))).toBe(gateway);
  });

  it('is read in the cluster domain of the setting, in any letter case', () => {
    expect(gatewayOf(readHostName('gw.default.svc.corp.example', 'Corp.Example'))).toBe('default/gw');
    expect(gatewayOf(readHostName('gw.default.svc.cluster.local', 'corp.example'))).toBe('ill-formed');
  });
});

describe('an authority', () => {
  it.each([
    ['gw.default.svc.cluster.local:9977', 'default/gw'],
    ['gw.default.svc.cluster.local.:9977', 'default/gw'],
    ['gw.default', 'default/gw'],
    ['[::1]:9977', 'ill-formed'],
    ['localhost:9977', 'ill-formed'],
    ['', 'ill-formed'],
  ])('%s names %s', (authority, gateway) => {
    expect(gatewayOf(readAuthority(authority, 'cluster.local'))).toBe(gateway);
  });
});

describe('a role', () => {
  it.each([
    ['mcp-kgateway-kube-gateway-api~default~mcp-gateway', 'default/mcp-gateway'],
    ['default~mcp-gateway', 'default/mcp-gateway'],
    ['anything at all~default~a.b', 'default/a.b'],
    ['mcp-gateway', 'ill-formed'],
    ['~default~gw', 'ill-formed'],
    ['a~b~default~gw', 'ill-formed'],
    ['default~', 'ill-formed'],
    ['~gw', 'ill-formed'],
    ['prefix~Default~gw', 'ill-formed'],
    ['prefix~default~gw.', 'ill-formed'],
    ['prefix~a.b~gw', 'ill-formed'],
  ])('%s names %s', (role, gateway) => {
    expect(gatewayOf(readRole(role))).toBe(gateway);
  });
});

const exists = (gateway: string): boolean => gateway === 'there/gw';
const found = (claims: Partial<NodeClaims>, authenticated = false): Identification =>
  identify(
    { metadata: undefined, header: [], authority: '127.0.0.1:9977', ...claims },
    { clusterDomain: 'cluster.local', exists, authenticated },
  );
const gateway = (name: string, by: string): object => ({ kind: 'gateway', gateway: name, by });
const nothingNamed = (text: string): object => ({
  kind: 'nothing-named',
  message: expect.stringContaining(text),
});
const refused = (text: string): object => ({
  kind: 'refused',
  code: 'INVALID_ARGUMENT',
  message: expect.stringContaining(text),
});

describe('A4 a node belongs to the Gateway', () => {
  it('that metadata.alt_xds_hostname names, whatever role and authority say', () => {
    const metadata = { alt_xds_hostname: 'gw.a.svc.cluster.local', role: 'p~b~gw' };
    expect(found({ metadata, authority: 'gw.there' })).toEqual(gateway('a/gw', 'metadata.alt_xds_hostname'));
  });

  it('that the header names, with or without a node', () => {
    expect(found({ header: ['gw.a'] })).toEqual(gateway('a/gw', 'x-alt-xds-hostname'));
    expect(found({ header: ['gw.a'], metadata: { role: 'p~b~gw' } })).toEqual(gateway('a/gw', 'x-alt-xds-hostname'));
  });

  it('that the role of agentgateway names', () => {
    const metadata = { role: 'default~gw', GATEWAY_NAME: 'other', NAMESPACE: 'elsewhere' };
    expect(found({ metadata })).toEqual(gateway('default/gw', 'metadata.role'));
  });

  it('that metadata.GATEWAY_NAME and metadata.NAMESPACE name, without a role or with one that lacks the namespace', () => {
    const metadata = { GATEWAY_NAME: 'gw', NAMESPACE: 'default' };
    expect(found({ metadata })).toEqual(gateway('default/gw', 'metadata.GATEWAY_NAME'));
    expect(found({ metadata: { ...metadata, role: '' } })).toEqual(gateway('default/gw', 'metadata.GATEWAY_NAME'));
    expect(found({ metadata: { ...metadata, role: '~gw' } })).toEqual(gateway('default/gw', 'metadata.GATEWAY_NAME'));
    expect(found({ metadata, authority: 'gw.there' })).toEqual(gateway('default/gw', 'metadata.GATEWAY_NAME'));
  });

  it.each<[string, Record<string, unknown>, string]>([
    ['no namespace', { GATEWAY_NAME: 'gw' }, 'NAMESPACE'],
    ['a namespace that is no string', { GATEWAY_NAME: 'gw', NAMESPACE: 5 }, 'NAMESPACE'],
    ['a namespace that is none', { GATEWAY_NAME: 'gw', NAMESPACE: 'De fault' }, 'DNS-1123 label'],
    ['a name that is no string', { GATEWAY_NAME: 5, NAMESPACE: 'default' }, 'not a string'],
    ['a name that is none', { GATEWAY_NAME: 'g/w', NAMESPACE: 'default' }, 'DNS-1123 subdomain'],
    [
      'a role that names another Gateway without a namespace',
      { role: '~x', GATEWAY_NAME: 'gw', NAMESPACE: 'a' },
      'the role',
    ],
  ])('or is refused for GATEWAY_NAME with %s, whatever the authority says', (_, metadata, problem) => {
    expect(found({ metadata, authority: 'gw.there' })).toEqual(refused(problem));
  });

  it('that both name, however each spells it', () => {
    const metadata = { alt_xds_hostname: 'GW.a' };
    expect(found({ metadata, header: ['gw.a.svc'] })).toEqual(gateway('a/gw', 'metadata.alt_xds_hostname'));
    expect(found({ metadata, header: ['gw.b'] })).toEqual(refused('must agree'));
    expect(found({ header: ['gw.a', 'gw.b'] })).toEqual(refused('must agree'));
  });

  it('that metadata.role names, when nothing comes before it', () => {
    expect(found({ metadata: { role: 'p~b~gw' }, authority: 'gw.there' })).toEqual(gateway('b/gw', 'metadata.role'));
  });

  it('that the authority names, only when that Gateway exists', () => {
    expect(found({ authority: 'gw.there.svc.cluster.local:9977' })).toEqual(gateway('there/gw', ':authority'));
    expect(found({ metadata: {}, authority: 'gw.there' })).toEqual(gateway('there/gw', ':authority'));
    expect(found({ authority: 'gw.elsewhere' })).toEqual(nothingNamed('five ways'));
  });

  it('or is refused, with a message that names the five ways', () => {
    for (const way of ['metadata.alt_xds_hostname', 'x-alt-xds-hostname', 'metadata.role', ':authority']) {
      expect(found({})).toEqual(nothingNamed(way));
    }
    expect(found({ authority: undefined })).toEqual(nothingNamed('five ways'));
  });
});

describe('what is ill-formed is an error, never a reason to look further:', () => {
  const role = 'p~b~gw';
  it.each<[string, Partial<NodeClaims>, string]>([
    ['a host name in the metadata', { metadata: { alt_xds_hostname: 'nonsense', role } }, 'has no namespace'],
    ['a host name that is no text', { metadata: { alt_xds_hostname: 5, role } }, 'is not a string'],
    ['a host name that is null', { metadata: { alt_xds_hostname: null, role } }, 'is not a string'],
    ['a header beside a good host name', { metadata: { alt_xds_hostname: 'gw.a' }, header: ['x'] }, 'no namespace'],
    ['a host name beside a good header', { metadata: { alt_xds_hostname: 'x' }, header: ['gw.a'] }, 'no namespace'],
    ['a header', { header: ['gw.a, gw.b'], metadata: { role } }, 'x-alt-xds-hostname'],
    ['a role', { metadata: { role: 'b' }, authority: 'gw.there' }, 'not of the form'],
    ['a role that is no text', { metadata: { role: ['p~b~gw'] }, authority: 'gw.there' }, 'is not a string'],
  ])('%s', (_, claims, text) => {
    expect(found(claims)).toEqual(refused(text));
  });
});

describe('an empty text is absent:', () => {
  it.each<[string, Partial<NodeClaims>]>([
    ['a host name', { metadata: { alt_xds_hostname: '', role: 'p~b~gw' } }],
    ['a header', { header: [''], metadata: { role: 'p~b~gw' } }],
  ])('%s, and the role decides', (_, claims) => {
    expect(found(claims)).toEqual(gateway('b/gw', 'metadata.role'));
  });

  it('a role, and the authority decides', () => {
    expect(found({ metadata: { role: '' }, authority: 'gw.there' })).toEqual(gateway('there/gw', ':authority'));
  });
});

it('metadata that only inherits a key does not have it', () => {
  expect(found({ metadata: Object.create({ role: 'p~b~gw' }) })).toEqual(nothingNamed('five ways'));
});

it('I2 an authority is worth nothing beside a proven identity', () => {
  expect(found({ authority: 'gw.there' }, true)).toEqual(nothingNamed('five ways'));
});

it('a message quotes no more than a little of what somebody sent, and nothing that cannot be sent back', () => {
  const refusal = found({ metadata: { role: `${'😀'.repeat(5000)}` } });
  if (refusal.kind !== 'refused') throw new Error('expected a refusal');
  expect(refusal.message.length).toBeLessThan(400);
  expect(() => encodeURI(refusal.message)).not.toThrow();
});

/** Bytes in use after a collection of garbage. */
function bytesInUse(): number {
  queryObjects(WeakRef, { format: 'count' });
  return process.memoryUsage().heapUsed;
}

it('the name of a Gateway does not hold the text that it was read from', () => {
  const names = ['a-namespace-of-many-letters', 'a-gateway-of-many-letters'];
  const text = (index: number): string => `${index}${'x'.repeat(100_000)}`;
  const before = bytesInUse();
  const kept = Array.from({ length: 100 }, (_, index) => [
    readRole(`${text(index)}~${names.join('~')}`),
    readHostName(`${names.toReversed().join('.')}.svc`, text(index)),
  ]);
  expect(bytesInUse() - before).toBeLessThan(1_000_000);
  expect(kept.flat().map(gatewayOf)).toEqual(Array(200).fill(names.join('/')));
});
