import { describe, expect, it } from 'vitest';
import { kinds } from '../../../../src/resources/resources.ts';
import { line } from '../../../support/api-server/api-server.ts';
import type { WrittenObject } from '../../../support/api-server/store.ts';
import { type ClusterRig, mcpService, requestsFor, startCluster } from '../cluster-rig.ts';

/** A cluster ten minutes later, before the relists are due, with its watches kept open by bookmarks. */
async function due(): Promise<ClusterRig> {
  const cluster = await startCluster((server) => {
    for (const name of ['changes', 'goes', 'stays']) server.put('Service', mcpService(name));
  });
  await cluster.settled();
  for (let minute = 1; minute <= 10; minute += 1) {
    cluster.clock.advance(60_000);
    await keepOpen(cluster);
  }
  return cluster;
}

/** Keeps the watches open by a bookmark of each kind. */
async function keepOpen(cluster: ClusterRig): Promise<void> {
  for (const { kind } of Object.values(kinds)) {
    const seen = (): number => cluster.counters.total('gatehouse_source_events_total', { kind });
    const before = seen();
    cluster.server.bookmark(kind);
    await cluster.eventually(() => seen() === before + 1);
  }
}

/** Advances the clock to the relist, and waits for the list of Services. */
async function relist(cluster: ClusterRig): Promise<void> {
  cluster.clock.advance(59_990);
  await cluster.eventually(() => cluster.counters.total('gatehouse_source_lists_total', { kind: 'Service' }) === 2);
}

function policy(rules: unknown): WrittenObject {
  return { name: 'p', spec: { targetRefs: [{ name: 'gw' }], rules } };
}

function missed(cluster: ClusterRig): number {
  return cluster.counters.total('gatehouse_source_missed_total', { kind: 'Service' });
}

describe('the periodic relist', () => {
  it('repairs and counts missed events', async () => {
    const cluster = await due();
    const { store } = cluster.server;
    store.put('Service', mcpService('changes', 81), 'quietly');
    store.put('Service', mcpService('comes'), 'quietly');
    store.remove('Service', 'default/goes', 'quietly');
    await relist(cluster);
    await cluster.pass(5000);
    await cluster.until(() => cluster.port('default/changes') === 81);
    expect([...cluster.resources.keys()].sort()).toEqual(
      ['changes', 'comes', 'stays'].map((name) => `Service default/${name}`),
    );
    expect(missed(cluster)).toBe(3);
    expect((await cluster.log.line('a list shows what no event had told')).fields).toEqual({
      kind: 'Service',
      objects: 3,
    });
    expect(cluster.server.requestCount(requestsFor('Service', 'watch'))).toBe(1);
  });

  it('lists anew what missed hundreds of events, since a list is applied in turns', async () => {
    const cluster = await due();
    const { server } = cluster;
    for (let at = 0; at < 300; at += 1) server.store.put('Service', mcpService(`comes-${at}`), 'quietly');
    await relist(cluster);
    await cluster.pass(5000);
    await cluster.until(() => cluster.resources.has('Service default/comes-299'));
    expect(missed(cluster)).toBe(300);
    await server.until(() => server.requestCount(requestsFor('Service', 'watch')) === 2);
    expect(server.requestCount(requestsFor('Service', 'list'))).toBe(3);
  });

  it('decodes custom resources again under an unchanged version', async () => {
    const cluster = await due();
    const stored = cluster.server.store.put('MCPAuthPolicy', policy([]));
    cluster.server.watches('MCPAuthPolicy')[0]?.send(line({ type: 'ADDED', object: stored.object }));
    await cluster.until(() => cluster.resources.has('MCPAuthPolicy default/p'));
    Object.assign(stored.object, { spec: policy({ deny: 'all' }).spec });
    await relist(cluster);
    await cluster.pass(5000);
    await cluster.until(() => !cluster.resources.has('MCPAuthPolicy default/p'));
  });

  it('finds nothing where no event was missed, and is repeated ten minutes later', async () => {
    const cluster = await due();
    await relist(cluster);
    await cluster.eventually(() => cluster.clock.waiting().includes(660_000));
    expect(missed(cluster)).toBe(0);
    expect(cluster.all).toHaveLength(1);
  });
});

describe('an object that is newer than the last event', () => {
  it('is not counted as missed', async () => {
    const cluster = await due();
    const { store } = cluster.server;
    const events = [
      store.put('Service', mcpService('changes', 81)),
      store.put('Service', mcpService('comes')),
      store.remove('Service', 'default/goes'),
    ];
    await relist(cluster);
    await cluster.eventually(() => cluster.clock.waiting().includes(5000));
    for (const event of events) cluster.server.watches('Service')[0]?.send(line(event));
    await cluster.until(() => cluster.port('default/changes') === 81);
    await cluster.pass(5000);
    expect(missed(cluster)).toBe(0);
    expect([...cluster.resources.keys()].sort()).toEqual(
      ['changes', 'comes', 'stays'].map((name) => `Service default/${name}`),
    );
  });

  it('is not reverted by a list that is older than its event', async () => {
    const cluster = await due();
    const { store } = cluster.server;
    const items = store.list('Service').map(({ kind: _kind, ...object }) => object);
    const metadata = { resourceVersion: String(store.version) };
    const [begin = '', end = ''] = JSON.stringify({ kind: 'ServiceList', metadata, items }).split('"items":');
    cluster.server.injectFault(requestsFor('Service', 'list'), { does: 'say', text: begin, next: 'hang' }, 1);
    cluster.clock.advance(59_990);
    await cluster.server.until(() => cluster.server.requestCount(requestsFor('Service', 'list')) === 2);
    cluster.server.put('Service', mcpService('changes', 82));
    await cluster.until(() => cluster.port('default/changes') === 82);
    cluster.server.release(`"items":${end}`);
    await cluster.eventually(() => cluster.counters.total('gatehouse_source_lists_total', { kind: 'Service' }) === 2);
    await cluster.pass(5000);
    expect(missed(cluster)).toBe(0);
    expect(cluster.port('default/changes')).toBe(82);
  });
});

describe('a relist', () => {
  it('that fails changes nothing, is logged once and counted, and is tried again until it works', async () => {
    const cluster = await due();
    const { server, counters, log, clock } = cluster;
    const failed = (): number => counters.total('gatehouse_source_watch_failures_total', { reason: 'refused' });
    server.injectFault(requestsFor('Service', 'list'), { does: 'answer', status: 500 }, 2);
    clock.advance(59_990);
    await cluster.pass(45_000);
    expect(failed()).toBe(1);
    await keepOpen(cluster);
    // The second delay is twice as long.
    await cluster.eventually(() => clock.waiting().includes(90_000));
    expect(failed()).toBe(2);
    expect(cluster.all).toHaveLength(1);
    expect(cluster.problems()).toEqual([]);
    const message = 'a safety relist failed, and is tried again: until then nothing shows whether an event was missed';
    const lines = (): readonly object[] => log.lines.filter((line) => line.message === message);
    expect(lines()).toEqual([
      { level: 'warn', message, fields: { kind: 'Service', because: expect.stringContaining('500') } },
    ]);
    server.store.put('Service', mcpService('changes', 81), 'quietly');
    clock.advance(90_000);
    expect((await log.line('safety relists work again')).fields).toEqual({ kind: 'Service' });
    await cluster.pass(5_000);
    await cluster.until(() => cluster.port('default/changes') === 81);
    expect(lines()).toHaveLength(1);
  });

  it('whose watch ends is repeated soon', async () => {
    const cluster = await due();
    cluster.server.store.put('Service', mcpService('changes', 81));
    await relist(cluster);
    await cluster.eventually(() => cluster.clock.waiting().includes(5000));
    cluster.server.watches('Service')[0]?.end();
    await cluster.until(() => cluster.port('default/changes') === 81);
    await cluster.pass(5000);
    await cluster.pass(30_000);
    await cluster.eventually(() => cluster.counters.total('gatehouse_source_lists_total', { kind: 'Service' }) === 3);
    expect(missed(cluster)).toBe(0);
  });
});
