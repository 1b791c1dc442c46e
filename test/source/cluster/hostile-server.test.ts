import { describe, expect, it } from 'vitest';
import { ListingBudget } from '../../../src/source/cluster/reflector/admission/listing-budget.ts';
import type { Fault } from '../../support/api-server/faults.ts';
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
});

describe('a policy that is beyond a bound', () => {
  it('keeps its claim when it says who may sign, and nothing of it is valid', async () => {
    const managedFields = `"managedFields":[${'{},'.repeat(100_000)}{}]`;
    const policy = (name: string, spec: string): string =>
      `{"metadata":{"creationTimestamp":"2026-01-01T00:00:00Z",${managedFields},"name":"${name}","namespace":"default",` +
      `"resourceVersion":"7","uid":"u-${name}"},"spec":{${spec}"targetRefs":[{"kind":"Gateway","name":"gw"}]}}`;
    const items = [policy('signers', '"jwt":{"providers":[{}]},'), policy('rules', '"rules":[],')];
    const text = `{"kind":"MCPAuthPolicyList","metadata":{"resourceVersion":"9"},"items":[${items.join()}]}`;
    const cluster = await startCluster((server) =>
      server.injectFault(requestsFor('MCPAuthPolicy', 'list'), { does: 'say', text, next: 'end' }, 1),
    );
    await cluster.settled();
    const claim = {
      created: '2026-01-01T00:00:00Z',
      targetRefs: [{ ok: true, value: { name: 'gw' } }],
      rules: { ok: false, reason: expect.stringContaining('has more than 200000 values') },
      jwt: { ok: false },
    };
    expect(cluster.resources.get('MCPAuthPolicy default/signers')).toMatchObject(claim);
    expect(cluster.resources.has('MCPAuthPolicy default/rules')).toBe(false);
    const object = policy('later', '"jwt":{"providers":[{}]},');
    cluster.server.watches('MCPAuthPolicy')[0]?.send(`{"type":"ADDED","object":${object}}\n`);
    await cluster.until(() => cluster.resources.has('MCPAuthPolicy default/later'));
    expect(cluster.resources.get('MCPAuthPolicy default/later')).toMatchObject(claim);
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

/** What all kinds may have together; the parts of single kinds are empty. */
const room = (objects: number, bytes: number): ListingBudget =>
  new ListingBudget({
    shared: { objects, bytes },
    mostOfKind: { objects, bytes },
    ofKind: { objects: 0, bytes: 0 },
    received: 2 ** 20,
  });

const ignored = ({ counters }: ClusterRig): number => counters.level('gatehouse_source_ignored_objects');

describe('a listing of too many bytes', () => {
  const large = `,"x":"${'x'.repeat(5_000)}"`;

  it('crowds out the largest objects, says so, and reads all others', async () => {
    const items = [service('large-1', large), service('one', ''), service('larger', `${large}${large}`)];
    const cluster = await startCluster(
      (server) => server.injectFault(requestsFor('Service', 'list'), listOf([...items, service('two', '')]), 1),
      { budget: room(9, 6_000) },
    );
    await cluster.settled();
    expect([...cluster.resources.keys()]).toEqual(['large-1', 'one', 'two'].map((name) => `Service default/${name}`));
    expect(cluster.problems().filter((problem) => problem.includes('is ignored'))).toEqual([
      expect.stringMatching(/services\/larger The object is ignored: .* its largest objects first\. Make it smaller/),
    ]);
    expect(ignored(cluster)).toBe(1);
    expect((await cluster.log.line('The object is ignored')).fields).toMatchObject({
      object: 'Service default/larger',
    });
  });

  it.each([
    ['the first', 0],
    ['the last', 2],
  ])('keeps the claim of a policy that gives way and says who may sign, also as %s', async (_which, position) => {
    const rule = { matches: [], resource: { kind: 'tool', name: `default/tool:${'x'.repeat(3_000)}` } };
    const policy = (name: string, spec: object): object => ({
      metadata: { name, namespace: 'default', uid: `u-${name}`, resourceVersion: '7' },
      spec: { targetRefs: [{ name: 'gw' }], ...spec },
    });
    const items = ['a', 'b'].map((name) => policy(name, { rules: [rule] }));
    items.splice(position, 0, policy('signers', { jwt: { providers: [] }, rules: [rule, rule] }));
    const text = JSON.stringify({ kind: 'MCPAuthPolicyList', metadata: { resourceVersion: '9' }, items });
    const cluster = await startCluster(
      (server) => server.injectFault(requestsFor('MCPAuthPolicy', 'list'), { does: 'say', text, next: 'end' }, 1),
      { budget: room(9, 36_000) },
    );
    await cluster.settled();
    const claim = { targetRefs: [{ ok: true, value: { name: 'gw' } }], rules: { ok: false }, jwt: { ok: false } };
    expect(cluster.resources.get('MCPAuthPolicy default/signers')).toMatchObject(claim);
    for (const name of ['a', 'b']) {
      expect(cluster.resources.get(`MCPAuthPolicy default/${name}`)).toMatchObject({ rules: { ok: true } });
    }
    expect(ignored(cluster)).toBe(1);
  });

  it('comes to the same whatever the order of its objects', async () => {
    const items = ['a', 'b', 'c', 'd'].map((name, at) => service(name, `,"x":"${'x'.repeat(1_000 * (4 - at))}"`));
    const worlds = await Promise.all(
      [items, items.toReversed()].map((list) =>
        startCluster((server) => server.injectFault(requestsFor('Service', 'list'), listOf(list), 1), {
          budget: room(9, 7_000),
        }),
      ),
    );
    for (const cluster of worlds) {
      await cluster.settled();
      expect([...cluster.resources.keys()].sort()).toEqual(['b', 'c', 'd'].map((name) => `Service default/${name}`));
    }
  });
});

it('a listing is looked at once more where it shows late which namespace holds most', async () => {
  const of = (namespace: string, name: string, bytes: number): string =>
    service(name, `,"x":"${'x'.repeat(bytes)}"`).replace('"default"', `"${namespace}"`);
  const small = Array.from({ length: 7 }, (_, at) => of('flood', `small-${at}`, 500));
  const items = [of('a', 'smaller', 7_000), of('flood', 'large', 4_700), ...small];
  const cluster = await startCluster((server) => server.injectFault(requestsFor('Service', 'list'), listOf(items), 2), {
    budget: room(99, 12_000),
  });
  await cluster.settled();
  expect(cluster.resources.has('Service a/smaller')).toBe(true);
  const withoutRoom = cluster.problems().filter((problem) => problem.includes('is ignored'));
  const names = withoutRoom.map((problem) => problem.split(' ')[0]?.split('/').at(-1));
  expect(names).toEqual(['large']);
  expect(cluster.server.requestCount(requestsFor('Service', 'list'))).toBe(2);
});

describe('a listing of too many objects', () => {
  it('leaves the youngest out, and says so', async () => {
    const born = (name: string, year: number): string =>
      service(name, '').replace('"uid"', `"creationTimestamp":"${year}-01-01T00:00:00Z","uid"`);
    const cluster = await startCluster(
      (server) =>
        server.injectFault(
          requestsFor('Service', 'list'),
          listOf([born('a', 2026), born('b', 2024), born('c', 2025)]),
          1,
        ),
      { budget: room(2, 2 ** 20) },
    );
    await cluster.settled();
    expect([...cluster.resources.keys()]).toEqual(['Service default/b', 'Service default/c']);
    expect(cluster.problems()).toEqual([
      '/api/v1/services There are more objects than are kept of one API server, and the youngest of the namespaces that ' +
        'have most are ignored, such as default/a. Delete some there; others are read within minutes then.',
    ]);
    expect(ignored(cluster)).toBe(1);
  });
});

describe('a listing that is hostile', () => {
  it('and goes on beyond what is read of one is given up, and what is known stays', async () => {
    const cluster = await startCluster((server) => void server.put('Service', mcpService('one')), {
      budget: room(9, 2 ** 20),
    });
    await cluster.settled();
    cluster.server.injectFault(
      requestsFor('Service', 'list'),
      listOf([service('huge', `,"x":"${'x'.repeat(2 ** 21)}"`)]),
    );
    cluster.server.store.pass();
    cluster.server.store.compact();
    cluster.server.watches('Service')[0]?.end();
    await cluster.pass(600);
    expect((await cluster.log.line('lost: ')).message).toContain('the list has more bytes than are read');
    expect(cluster.port('default/one')).toBe(80);
  });

  it('leaves out what its watch adds beyond that number, and the watch goes on for the others', async () => {
    const cluster = await startCluster((server) => void server.put('Service', mcpService('one')), {
      budget: room(3, 2 ** 20),
    });
    await cluster.settled();
    for (const name of ['two', 'three', 'zero']) cluster.server.put('Service', mcpService(name));
    cluster.server.put('Service', mcpService('one', 81));
    await cluster.eventually(() => cluster.counters.total('gatehouse_source_events_total', { kind: 'Service' }) === 4);
    cluster.clock.advance(200);
    await cluster.until(() => cluster.port('default/one') === 81);
    expect([...cluster.resources.keys()]).toEqual(['one', 'two', 'three'].map((name) => `Service default/${name}`));
    expect(cluster.problems()).toEqual([
      expect.stringContaining('the youngest of the namespaces that have most are ignored, such as default/zero.'),
    ]);
    expect(cluster.server.requestCount(requestsFor('Service'))).toBe(2);
    cluster.server.remove('Service', 'default/one');
    await cluster.eventually(() => cluster.counters.total('gatehouse_source_events_total', { kind: 'Service' }) === 5);
    // A relist within about a minute finds what has room now.
    cluster.clock.advance(66_000);
    await cluster.pass(5_000);
    await cluster.until(() => cluster.port('default/zero') === 80);
    expect(cluster.problems()).toEqual([]);
    expect(ignored(cluster)).toBe(0);
    expect(cluster.counters.total('gatehouse_source_missed_total', { kind: 'Service' })).toBe(0);
  });

  it.each([
    ['a resource version', `{"resourceVersion":"${'9'.repeat(300)}"}`],
    ['a continue token', `{"resourceVersion":"9","continue":"${'c'.repeat(5_000)}"}`],
    ['the resource version of any state', '{"resourceVersion":"0"}'],
  ])('with %s that no request may have is none', async (_what, metadata) => {
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
    const budget = room(9, 6_000);
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
      { budget: room(99, 20_000) },
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
