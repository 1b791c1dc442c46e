import { describe, expect, it } from 'vitest';
import type { ApiObject } from '../../../src/source/cluster/api/object.ts';
import { ApiReader } from '../../../src/source/cluster/api/reader.ts';
import { listPages, tooMuchToKeep } from '../../../src/source/cluster/reflector/list-pager.ts';
import { ListingBudget } from '../../../src/source/cluster/reflector/listing-budget.ts';
import { createPlainConnection } from '../../support/api-server/api-connection.ts';
import { startApiServer } from '../../support/api-server/api-server.ts';
import type { Fault } from '../../support/api-server/faults.ts';
import { systemClock } from '../../support/edges/system-clock.ts';
import { type ClusterRig, mcpService, requestsFor, startCluster } from './cluster-rig.ts';

/** A Service whose `spec` has this text beside its port. */
function service(name: string, more: string): string {
  const metadata = `{"name":"${name}","namespace":"default","uid":"u-${name}","resourceVersion":"7"}`;
  return `{"metadata":${metadata},"spec":{"clusterIP":"10.0.0.1","ports":[{"port":80,"appProtocol":"kgateway.dev/mcp"}]${more}}}`;
}

function listOf(items: Iterable<string>, metadata = '{"resourceVersion":"9"}'): Fault {
  const text = `{"kind":"ServiceList","apiVersion":"v1","metadata":${metadata},"items":[${[...items].join()}]}`;
  return { does: 'say', text, next: 'end' };
}

const tooMany = `,"x":[${'{},'.repeat(100_000)}0]`;
const tooDeep = `,"x":${'['.repeat(200)}${']'.repeat(200)}`;
const tooLarge = `,"x":"${'x'.repeat(9 * 2 ** 20)}"`;

async function listed(fault: Fault): Promise<ClusterRig> {
  return startCluster((server) => server.injectFault(requestsFor('Service', 'list'), fault, 1));
}

describe('an object that is beyond a bound', () => {
  it.each([
    ['has too many values', tooMany, 'has more than 200000 values'],
    ['is nested too deep', tooDeep, 'is nested more than 100 deep'],
    ['is too large', tooLarge, 'has more than 8388608 bytes'],
  ])('and %s is ignored and reported, and its neighbours in a list are read', async (_what, more, problem) => {
    const cluster = await listed(listOf([service('one', ''), service('bad', more), service('two', '')]));
    await cluster.settled();
    expect([...cluster.resources.keys()]).toEqual(['Service default/one', 'Service default/two']);
    expect(cluster.problems()).toEqual([
      `/api/v1/namespaces/default/services/bad The object ${problem}, and is ignored: make it smaller.`,
    ]);
  });

  it.each([
    ['has too many values', tooMany],
    ['is nested too deep', tooDeep],
  ])('and %s takes the place of an earlier one in a watch, which goes on', async (_what, more) => {
    const cluster = await listed(listOf([service('one', ''), service('bad', '')]));
    await cluster.settled();
    const [watch] = cluster.server.watches('Service');
    watch?.send(`{"type":"MODIFIED","object":${service('bad', more).replace('"7"', '"10"')}}\n`);
    await cluster.until(() => !cluster.resources.has('Service default/bad'));
    watch?.send(`{"type":"DELETED","object":${service('bad', more).replace('"7"', '"11"')}}\n`);
    cluster.server.put('Service', mcpService('three'));
    await cluster.eventually(() => cluster.counters.total('gatehouse_source_events_total', { kind: 'Service' }) === 3);
    cluster.clock.advance(200);
    await cluster.until(() => cluster.resources.has('Service default/three'));
    expect(cluster.problems()).toEqual([]);
    expect(cluster.server.requestCount(requestsFor('Service'))).toBe(2);
  });

  it('has no status that could be overwritten', async () => {
    const metadata = '{"name":"p","namespace":"default","uid":"u","resourceVersion":"7"}';
    const policy = `{"metadata":${metadata},"spec":{},"status":{"ancestors":[${'{},'.repeat(100_000)}{}]}}`;
    const text = `{"kind":"MCPAuthPolicyList","metadata":{"resourceVersion":"9"},"items":[${policy}]}`;
    const cluster = await startCluster((server) =>
      server.injectFault(requestsFor('MCPAuthPolicy', 'list'), { does: 'say', text, next: 'end' }, 1),
    );
    await cluster.settled();
    expect(cluster.observed('MCPAuthPolicy', 'default/p')?.object).toBeUndefined();
  });
});

describe('a listing', () => {
  it.each([
    ['objects', { objects: 5, bytes: 2 ** 20 }],
    ['bytes', { objects: 100, bytes: 1_000 }],
  ])('of too many %s, all pages together, is given up', async (_what, bounds) => {
    const server = await startApiServer();
    const pages = ['a', 'b', 'c'].map((page, at) =>
      listOf([service(`${page}-1`, ''), service(`${page}-2`, '')], `{"resourceVersion":"9","continue":"page-${at}"}`),
    );
    for (const page of pages) server.injectFault(requestsFor('Service', 'list'), page, 1);
    const reader = new ApiReader(createPlainConnection(server.url), systemClock);
    const services = { kind: 'Service', namespace: undefined } as const;
    const taken: string[] = [];
    const add = ({ key }: ApiObject): void => void taken.push(key);
    const budget = new ListingBudget(bounds, { objects: 0, bytes: 0 });
    const result = await listPages(reader, services, new AbortController().signal, add, budget);
    expect(result).toEqual({ ok: false, error: tooMuchToKeep });
    expect(taken.length).toBeLessThanOrEqual(5);
  });

  it('grows by a watch only as far as a list may, and what is known stays', async () => {
    const budget = new ListingBudget({ objects: 3, bytes: 2 ** 20 }, { objects: 0, bytes: 0 });
    const cluster = await startCluster((server) => void server.put('Service', mcpService('one')), { budget });
    await cluster.settled();
    for (const name of ['two', 'three', 'four']) cluster.server.put('Service', mcpService(name));
    await cluster.pass(600);
    await cluster.log.line('lost: ');
    expect(['one', 'two', 'three', 'four'].map((name) => cluster.port(`default/${name}`))).toEqual([
      80,
      80,
      80,
      undefined,
    ]);
    cluster.server.remove('Service', 'default/one');
    await cluster.pass(1200);
    await cluster.until(() => cluster.port('default/four') === 80);
    expect(cluster.port('default/one')).toBeUndefined();
  });

  it.each([
    ['a resource version', `{"resourceVersion":"${'9'.repeat(300)}"}`],
    ['a continue token', `{"resourceVersion":"9","continue":"${'c'.repeat(5_000)}"}`],
  ])('with %s that fits no URL is none', async (_what, metadata) => {
    const cluster = await startCluster((server) => {
      server.put('Service', mcpService('tool'));
      server.injectFault(requestsFor('Service', 'list'), listOf([], metadata), 1);
    });
    await cluster.log.line('lost: ');
    await cluster.pass(600);
    await cluster.until(() => cluster.port('default/tool') === 80);
  });
});

describe('a watch', () => {
  it('of bytes grows by a watch only as far as a list may: what has no room allows nothing, and comes back', async () => {
    const small = service('one', '');
    const budget = new ListingBudget({ objects: 9, bytes: 6_000 }, { objects: 0, bytes: 0 });
    const cluster = await startCluster(
      (server) => server.injectFault(requestsFor('Service', 'list'), listOf([small, service('two', '')]), 1),
      { budget },
    );
    await cluster.settled();
    const [watch] = cluster.server.watches('Service');
    const event = (object: string, version: string): string =>
      `{"type":"MODIFIED","object":${object.replace('"7"', `"${version}"`)}}\n`;
    watch?.send(event(service('one', `,"x":"${'x'.repeat(6_000)}"`), '10'));
    await cluster.until(() => cluster.port('default/one') === undefined);
    expect(cluster.problems()).toEqual([expect.stringContaining('services/one The object is ignored: with it, ')]);
    cluster.clock.advance(10);
    // It holds nothing, so that others may grow, and the same version is read again once there is room.
    watch?.send(event(service('two', `,"x":"${'x'.repeat(3_000)}"`), '11'));
    watch?.send(event(service('three', ''), '12'));
    await cluster.until(() => cluster.port('default/three') === 80);
    expect(cluster.port('default/two')).toBe(80);
    cluster.clock.advance(10);
    watch?.send(event(small, '10'));
    await cluster.until(() => cluster.port('default/one') === 80);
    expect(cluster.problems().filter((problem) => problem.includes('is ignored'))).toEqual([]);
    expect(cluster.server.requestCount(requestsFor('Service'))).toBe(2);
  });

  it('with a policy that has no room any more keeps its claim to the signers, and no other policy replaces them', async () => {
    const provider = { issuer: 'https://issuer.example', jwks: { uri: 'https://issuer.example/keys' } };
    const spec = { targetRefs: [{ name: 'gw' }], jwt: { providers: [provider] } };
    const rules = [{ matches: [], resource: { kind: 'tool', name: `default/tool:${'x'.repeat(10_000)}` } }];
    const cluster = await startCluster(
      (server) => {
        server.put('MCPAuthPolicy', { name: 'signers', spec });
        server.put('MCPAuthPolicy', { name: 'rules', spec: { targetRefs: spec.targetRefs, rules: [] } });
      },
      { budget: new ListingBudget({ objects: 99, bytes: 20_000 }, { objects: 0, bytes: 0 }) },
    );
    await cluster.settled();
    expect(cluster.resources.get('MCPAuthPolicy default/signers')).toMatchObject({ jwt: { ok: true } });
    cluster.server.put('MCPAuthPolicy', { name: 'rules', spec: { targetRefs: spec.targetRefs, rules } });
    await cluster.until(() => !cluster.resources.has('MCPAuthPolicy default/rules'));
    cluster.clock.advance(10);
    const batches = cluster.all.length;
    cluster.server.put('MCPAuthPolicy', { name: 'signers', spec: { ...spec, rules } });
    await cluster.until(() => cluster.all.length > batches);
    expect(cluster.resources.get('MCPAuthPolicy default/signers')).toMatchObject({
      targetRefs: [{ ok: true, value: { name: 'gw' } }],
      rules: { ok: false },
      jwt: { ok: false },
    });
  });
});
