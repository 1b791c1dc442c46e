import { describe, expect, it } from 'vitest';
import { ListingBudget } from '../../../src/source/cluster/reflector/admission/listing-budget.ts';
import { line } from '../../support/api-server/api-server.ts';
import { type ClusterRig, mcpService, requestsFor, startCluster } from './cluster-rig.ts';

describe('the first batch', () => {
  it('has every kind, and is one', async () => {
    const cluster = await startCluster((server) => {
      server.put('Service', mcpService('tool'));
      server.put('Namespace', { name: 'default', labels: { team: 'a' } });
      server.put('GatewayClass', { name: 'mcp', spec: { controllerName: 'kgateway.dev/kgateway' } });
      server.put('Gateway', { name: 'gateway', spec: { gatewayClassName: 'mcp', listeners: [] } });
      server.put('GatewayParameters', { name: 'parameters', spec: { selfManaged: {} } });
      server.put('MCPAuthPolicy', { name: 'policy', spec: { targetRefs: [], rules: [] } });
    });
    await cluster.settled();
    expect([...cluster.resources.keys()].sort()).toEqual([
      'Gateway default/gateway',
      'GatewayClass mcp',
      'GatewayParameters default/parameters',
      'MCPAuthPolicy default/policy',
      'Namespace default',
      'Service default/tool',
    ]);
    expect(cluster.all).toHaveLength(1);
    expect(cluster.unlisted).toBe('unknown');
    expect(cluster.all[0]).not.toHaveProperty('unlistedNamespaces');
  });

  it('is delivered for an empty cluster too', async () => {
    const cluster = await startCluster();
    await cluster.settled();
    expect(cluster.all).toEqual([{ changes: [], bundle: expect.anything(), synced: true }]);
  });

  it('waits for the slowest kind', async () => {
    const cluster = await startCluster((server) => {
      server.put('Service', mcpService('tool'));
      server.injectFault(requestsFor('Gateway', 'list'), { does: 'answer', status: 500 }, 1);
    });
    await cluster.eventually(() => cluster.counters.total('gatehouse_source_lists_total') === 5);
    expect(cluster.all).toEqual([]);
    await cluster.pass(600);
    await cluster.settled();
    expect(cluster.port('default/tool')).toBe(80);
  });

  it('is delivered when the API server can be reached, if that was down at the start', async () => {
    const cluster = await startCluster(async (server) => {
      server.put('Service', mcpService('tool'));
      await server.down();
    });
    await cluster.log.line('lost: ');
    expect(cluster.all).toEqual([]);
    expect(cluster.problems()[0]).toContain('ECONNREFUSED');
    await cluster.server.up();
    await everyKindWaits(cluster);
    await cluster.pass(600);
    await cluster.settled();
    expect(cluster.port('default/tool')).toBe(80);
  });
});

describe('a kind is not synced by', () => {
  it.each([
    ['a 403', { does: 'answer', status: 403 }, [30_000, 30_000]],
    ['a 500', { does: 'answer', status: 500 }, [600, 1200]],
    ['a 503', { does: 'answer', status: 503 }, [600, 1200]],
    ['a page of a proxy', { does: 'html', status: 200 }, [600, 1200]],
    ['a 404 of a proxy', { does: 'html', status: 404 }, [600, 1200]],
    ['a reset', { does: 'reset' }, [600, 1200]],
  ] as const)('%s', async (_what, fault, delays) => {
    const cluster = await startCluster((server) => {
      server.injectFault(requestsFor('Service'), fault);
      if (fault.does === 'html') server.injectFault(({ path }) => path === '/api/v1', fault);
    });
    await cluster.eventually(() => cluster.counters.total('gatehouse_source_lists_total') === 5);
    for (const delay of delays) await cluster.pass(delay);
    await cluster.eventually(() => failures(cluster) >= 2);
    expect(cluster.all).toEqual([]);
    cluster.server.clearFaults();
    const [last = 0] = cluster.clock.waiting();
    await cluster.pass(last);
    await cluster.eventually(() => cluster.synced);
  });

  it('a server that does not answer', async () => {
    const cluster = await startCluster((server) =>
      server.injectFault(({ verb }) => verb === 'list', { does: 'hang' }, 6),
    );
    await cluster.server.until(() => cluster.server.requestCount(({ verb }) => verb === 'list') === 6);
    await cluster.pass(150_000);
    await cluster.log.line('lost: ');
    expect(cluster.all).toEqual([]);
    await everyKindWaits(cluster);
    await cluster.pass(600);
    await cluster.eventually(() => cluster.synced);
  });
});

describe('a kind is synced without a list', () => {
  it('if it does not exist', async () => {
    const cluster = await startCluster((server) => server.serve('MCPAuthPolicy', false));
    await cluster.eventually(() => cluster.synced);
    expect(cluster.problems()).toEqual([
      '/apis/gateway.kgateway.dev/v1alpha1/mcpauthpolicies mcpauthpolicies of gateway.kgateway.dev/v1alpha1 do not exist in this cluster, so that there are none: install their CustomResourceDefinition, and they are picked up within seconds.',
    ]);
  });

  it('if it is Namespace and forbidden, with all labels unknown', async () => {
    const cluster = await startCluster((server) => {
      server.put('Namespace', { name: 'default' });
      server.injectFault(requestsFor('Namespace'), {
        does: 'answer',
        status: 403,
        message: 'namespaces is forbidden: for rbac',
      });
    });
    await cluster.pass(750);
    await cluster.eventually(() => cluster.synced);
    expect([...cluster.resources.keys()]).toEqual([]);
    expect(cluster.unlisted).toBe('unknown');
    expect(cluster.problems()[0]).toMatch(
      /^\/api\/v1\/namespaces forbidden: grant list and watch on namespaces\. .*for rbac/,
    );
    cluster.server.clearFaults();
    await cluster.pass(30_000);
    await cluster.eventually(() => cluster.resources.has('Namespace default'));
  });

  it('and forgets the labels of Namespaces that become forbidden later', async () => {
    const cluster = await startCluster((server) => server.put('Namespace', { name: 'default' }));
    await cluster.settled();
    cluster.server.injectFault(requestsFor('Namespace'), { does: 'answer', status: 403 });
    cluster.server.watches('Namespace')[0]?.reset();
    await cluster.pass(600);
    // The watch is forbidden, then the list: it is doubtful, and is asked for again.
    await cluster.pass(30_000);
    await cluster.pass(7_500);
    await cluster.eventually(() => !cluster.resources.has('Namespace default'));
  });

  it('and keeps the labels of Namespaces that are forbidden for a moment, as a server does that starts', async () => {
    const cluster = await startCluster((server) => server.put('Namespace', { name: 'default' }));
    await cluster.settled();
    cluster.server.injectFault(requestsFor('Namespace'), { does: 'answer', status: 403 }, 2);
    cluster.server.watches('Namespace')[0]?.reset();
    await cluster.pass(600);
    await cluster.pass(30_000);
    await cluster.pass(7_500);
    await cluster.eventually(() => cluster.counters.total('gatehouse_source_lists_total', { kind: 'Namespace' }) === 2);
    expect(cluster.all.flatMap(({ changes }) => changes)).toHaveLength(1);
  });
});

describe('namespaces', () => {
  it('are listed one by one; cluster-scoped kinds are listed as a whole', async () => {
    const cluster = await startCluster(
      (server) => {
        for (const namespace of ['a', 'b', 'c']) server.put('Service', { ...mcpService('tool'), namespace });
        server.put('Namespace', { name: 'c' });
      },
      { namespaces: ['a', 'b', 'a'] },
    );
    await cluster.eventually(() => cluster.synced);
    expect([...cluster.resources.keys()].sort()).toEqual(['Namespace c', 'Service a/tool', 'Service b/tool']);
    const paths = cluster.server.requests.filter(requestsFor('Service', 'list')).map(({ path }) => path);
    expect(paths).toEqual(['/api/v1/namespaces/a/services', '/api/v1/namespaces/b/services']);
    expect(cluster.source.identify('Service', 'b/tool')).toEqual({ uid: 'uid-2', resourceVersion: '102' });
  });

  it('have a part of the room each, whatever is in the others', async () => {
    const [size, none] = [
      { objects: 4, bytes: 2 ** 20 },
      { objects: 0, bytes: 0 },
    ];
    const cluster = await startCluster(
      (server) => {
        for (let at = 0; at < 9; at += 1) server.put('Service', { ...mcpService(`flood-${at}`), namespace: 'a' });
        for (const name of ['one', 'two']) server.put('Service', { ...mcpService(name), namespace: 'b' });
      },
      {
        namespaces: ['a', 'b'],
        budget: new ListingBudget({ ofKind: size, mostOfKind: size, shared: none, received: 2 ** 20 }),
      },
    );
    await cluster.eventually(() => cluster.synced);
    const names = ['a/flood-0', 'a/flood-1', 'b/one', 'b/two'];
    expect([...cluster.resources.keys()].sort()).toEqual(names.map((name) => `Service ${name}`));
  });

  it.each(['list', 'watch'] as const)('have no objects of others, which a proxy puts into a %s', async (verb) => {
    const metadata = { name: 'tool', namespace: 'b', uid: 'u', resourceVersion: '7' };
    const object = { ...mcpService('tool'), metadata };
    const list = { kind: 'ServiceList', metadata: { resourceVersion: '9' }, items: [object] };
    const text = verb === 'list' ? JSON.stringify(list) : line({ type: 'ADDED', object });
    const cluster = await startCluster(
      (server) => server.injectFault(requestsFor('Service', verb), { does: 'say', text, next: 'end' }, 1),
      { namespaces: ['a'] },
    );
    await cluster.pass(600);
    await cluster.settled();
    expect([...cluster.resources.keys()]).toEqual([]);
    const failed = { kind: 'Service', reason: 'unintelligible' };
    expect(cluster.counters.total('gatehouse_source_watch_failures_total', failed)).toBe(1);
  });

  it('of which one is forbidden are not synced, and the diagnostic names it', async () => {
    const cluster = await startCluster(
      (server) => server.injectFault(({ path }) => path.includes('/b/services'), { does: 'answer', status: 403 }),
      { namespaces: ['a', 'b'] },
    );
    await cluster.log.line('forbidden: grant list and watch on services in namespace b.');
    expect(cluster.all).toEqual([]);
  });
});

describe('the identity of an object', () => {
  it('is known as long as it exists', async () => {
    const cluster = await startCluster((server) => server.put('Service', mcpService('tool')));
    await cluster.settled();
    expect(cluster.source.identify('Service', 'default/tool')).toEqual({ uid: 'uid-1', resourceVersion: '101' });
    expect(cluster.source.identify('Service', 'default/other')).toBeUndefined();
    expect(cluster.source.identify('Gateway', 'default/tool')).toBeUndefined();
    cluster.server.remove('Service', 'default/tool');
    await cluster.until(() => !cluster.resources.has('Service default/tool'));
    expect(cluster.source.identify('Service', 'default/tool')).toBeUndefined();
  });
});

describe('stop', () => {
  it('leaves no request and no timer behind', async () => {
    const cluster = await startCluster();
    await cluster.settled();
    await cluster.stop();
    expect(cluster.clock.waiting()).toEqual([]);
    await cluster.server.until(() => cluster.server.watches('Service').length === 0);
  });

  it('waits neither for a server that hangs nor for a backoff', async () => {
    const cluster = await startCluster((server) => {
      server.injectFault(requestsFor('Service'), { does: 'hang' });
      server.injectFault(requestsFor('Gateway'), { does: 'answer', status: 500 });
      server.injectFault(({ path }) => path.includes('customresourcedefinitions'), { does: 'hang' });
    });
    await cluster.eventually(() => cluster.clock.waiting().includes(600));
    await cluster.stop();
    expect(cluster.clock.waiting()).toEqual([]);
    expect(cluster.all).toEqual([]);
  });
});

it('a batch whose delivery throws is logged, and the next one is delivered', async () => {
  const cluster = await startCluster(undefined, {});
  await cluster.settled();
  cluster.server.put('Service', mcpService('throws'));
  await cluster.log.line('internal error: a batch of changes could not be applied');
  cluster.clock.advance(10);
  cluster.server.put('Service', mcpService('works'));
  await cluster.eventually(() => cluster.counters.total('gatehouse_source_events_total', { kind: 'Service' }) === 2);
  cluster.clock.advance(10);
  await cluster.until(() => cluster.resources.has('Service default/works'));
});

function failures({ counters }: ClusterRig): number {
  return counters.total('gatehouse_source_watch_failures_total', { kind: 'Service' });
}

function everyKindWaits({ eventually, clock }: ClusterRig): Promise<void> {
  return eventually(() => clock.waiting().filter((one) => one === 600).length === 6);
}
