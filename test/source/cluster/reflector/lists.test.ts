import { describe, expect, it } from 'vitest';
import type { Fault } from '../../../support/api-server/faults.ts';
import { mcpService, requestsFor, startCluster } from '../cluster-rig.ts';

describe('a list', () => {
  it('is read in pages of 2000, from one version', async () => {
    const cluster = await startCluster((server) => {
      for (let at = 0; at < 4500; at += 1) server.put('Service', mcpService(`s-${at}`));
    });
    await cluster.settled();
    expect(cluster.resources.size).toBe(4500);
    const asked = cluster.server.requests
      .filter(requestsFor('Service', 'list'))
      .map(({ query }) => Object.fromEntries(query));
    expect(asked).toEqual([
      { limit: '2000' },
      { limit: '2000', continue: '4600/2000' },
      { limit: '2000', continue: '4600/4000' },
    ]);
    expect(cluster.server.watches('Service')[0]?.query.get('resourceVersion')).toBe('4600');
    expect(cluster.counters.total('gatehouse_source_lists_total', { kind: 'Service' })).toBe(1);
  });

  it('leaves its connection to the next page, and that to the watch', async () => {
    const cluster = await startCluster((server) => {
      for (let at = 0; at < 5000; at += 1) server.put('Service', mcpService(`s-${at}`));
    });
    await cluster.settled();
    // One for the watch of each kind, and one for all other requests.
    expect(cluster.server.connections).toBeLessThanOrEqual(7);
  });
});

describe('a list that fails', () => {
  it('half-way changes nothing', async () => {
    const cluster = await startCluster((server) => server.put('Service', mcpService('old')));
    await cluster.settled();
    const { server } = cluster;
    server.store.remove('Service', 'default/old');
    for (let at = 0; at < 2001; at += 1) server.store.put('Service', mcpService(`s-${at}`));
    server.store.compact();
    server.injectFault((asked) => asked.query.has('continue'), { does: 'answer', status: 410 }, 1);
    server.watches('Service')[0]?.end();
    await cluster.eventually(() => cluster.clock.waiting().includes(600));
    expect(cluster.all).toHaveLength(1);
    await cluster.pass(600);
    await cluster.until(() => cluster.resources.size === 2001);
    expect(cluster.all.filter(({ more }) => more !== true)).toHaveLength(2);
  });

  it.each<readonly [what: string, fault: Fault]>([
    ['is no JSON', { does: 'say', text: '{"kind":"ServiceList"', next: 'end' }],
    ['is another object', { does: 'say', text: '{"kind":"Status"}', next: 'end' }],
    ['has no version', { does: 'say', text: '{"kind":"ServiceList","metadata":{},"items":[]}', next: 'end' }],
    [
      'has an item without identity',
      {
        does: 'say',
        text: '{"kind":"ServiceList","metadata":{"resourceVersion":"1"},"items":[{"metadata":{"name":"a"}}]}',
        next: 'end',
      },
    ],
    [
      'has no list of items',
      { does: 'say', text: '{"kind":"ServiceList","metadata":{"resourceVersion":"1"},"items":{}}', next: 'end' },
    ],
    ['breaks off', { does: 'say', text: '{"kind":"ServiceList","items":[', next: 'break' }],
    ['is a page of a proxy', { does: 'html', status: 200 }],
  ])('is retried if it %s', async (_what, fault) => {
    const cluster = await startCluster((server) => {
      server.put('Service', mcpService('tool'));
      server.injectFault(requestsFor('Service', 'list'), fault, 1);
    });
    await cluster.log.line('lost: ');
    expect(cluster.all).toEqual([]);
    await cluster.pass(600);
    await cluster.until(() => cluster.port('default/tool') === 80);
  });

  it('is one whose continue token repeats, and is not followed for ever', async () => {
    const text = '{"kind":"ServiceList","metadata":{"resourceVersion":"1","continue":"same"},"items":[]}';
    const cluster = await startCluster((server) => {
      server.put('Service', mcpService('tool'));
      server.injectFault(requestsFor('Service', 'list'), { does: 'say', text, next: 'end' }, 2);
    });
    await cluster.log.line('lost: ');
    expect(cluster.server.requestCount(requestsFor('Service', 'list'))).toBe(2);
    await cluster.pass(600);
    await cluster.until(() => cluster.port('default/tool') === 80);
  });

  it('is none whose items are null', async () => {
    const text = '{"kind":"ServiceList","metadata":{"resourceVersion":"1"},"items":null}';
    const cluster = await startCluster((server) => {
      server.injectFault(requestsFor('Service', 'list'), { does: 'say', text, next: 'end' }, 1);
    });
    await cluster.settled();
    expect(cluster.all).toHaveLength(1);
  });
});

describe('a relist', () => {
  it('is one batch of the differences', async () => {
    const cluster = await startCluster((server) => {
      for (const name of ['stays', 'changes', 'goes']) server.put('Service', mcpService(name));
    });
    await cluster.settled();
    const { store } = cluster.server;
    store.put('Service', mcpService('changes', 81));
    store.remove('Service', 'default/goes');
    store.put('Service', mcpService('comes'));
    store.put('Service', { ...mcpService('stays'), status: { loadBalancer: {} } });
    store.compact();
    cluster.server.watches('Service')[0]?.end();
    await cluster.until(() => cluster.all.length === 2);
    const changes = cluster.all[1]?.changes.map(
      ({ key, resource }) => `${key} ${resource === undefined ? 'goes' : 'is'}`,
    );
    expect(changes?.sort()).toEqual(['default/changes is', 'default/comes is', 'default/goes goes']);
  });

  it('distinguishes a new object from an old one of the same name', async () => {
    const gateway = { name: 'gateway', spec: { gatewayClassName: 'mcp', listeners: [] } };
    const cluster = await startCluster((server) => server.put('Gateway', gateway));
    await cluster.settled();
    expect(cluster.observed('Gateway', 'default/gateway')?.object?.uid).toBe('uid-1');
    const { store } = cluster.server;
    store.remove('Gateway', 'default/gateway');
    store.put('Gateway', gateway);
    store.compact();
    cluster.server.watches('Gateway')[0]?.end();
    await cluster.until(() => cluster.all.length === 2);
    expect(cluster.all[1]?.changes).toEqual([]);
    expect(cluster.observed('Gateway', 'default/gateway')?.object?.uid).toBe('uid-2');
    expect(cluster.source.identify('Gateway', 'default/gateway')?.uid).toBe('uid-2');
  });
});
