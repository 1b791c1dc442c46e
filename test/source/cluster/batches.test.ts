import { describe, expect, it } from 'vitest';
import { line } from '../../support/api-server/api-server.ts';
import { type ClusterRig, mcpService, startCluster } from './cluster-rig.ts';

const crds = ['gatewayclasses.gateway.networking.k8s.io', 'gateways.gateway.networking.k8s.io'] as const;
const gateway = { name: 'gateway', spec: { gatewayClassName: 'mcp', listeners: [] } };

function portChanges(cluster: ClusterRig, from: number, to: number): string {
  let text = '';
  for (let port = from; port < to; port += 1) {
    text += line(cluster.server.store.put('Service', mcpService('tool', port)));
  }
  return text;
}

describe('a change', () => {
  it('is delivered at once after an idle time', async () => {
    const cluster = await startCluster();
    await cluster.settled();
    cluster.server.put('Service', mcpService('tool'));
    await cluster.until(() => cluster.port('default/tool') === 80);
  });

  it('is batched with others that follow within 10 ms', async () => {
    const cluster = await startCluster();
    await cluster.settled();
    cluster.server.put('Service', mcpService('first'));
    await cluster.until(() => cluster.all.length === 2);
    for (const name of ['second', 'third']) cluster.server.put('Service', mcpService(name));
    await seen(cluster, 3);
    expect(cluster.all).toHaveLength(2);
    cluster.clock.advance(10);
    expect(cluster.all[2]?.changes.map(({ key }) => key)).toEqual(['default/second', 'default/third']);
  });

  it('waits no longer than 200 ms while changes go on, and only the last state of an object is delivered', async () => {
    const cluster = await startCluster();
    await cluster.settled();
    const [watch] = cluster.server.watches('Service');
    watch?.send(portChanges(cluster, 1, 2));
    await cluster.until(() => cluster.all.length === 2);
    for (let step = 1; step <= 50; step += 1) {
      watch?.send(portChanges(cluster, step + 1, step + 2));
      await seen(cluster, step + 1);
      cluster.clock.advance(9);
    }
    expect(cluster.all.slice(2).map(({ changes }) => changes.length)).toEqual([1, 1]);
    expect(cluster.log.lines.slice(6)).toEqual([]);
  });

  it('of one object fifty times a second costs at most fifty batches, and no line in the log', async () => {
    const cluster = await startCluster();
    await cluster.settled();
    for (let step = 1; step <= 50; step += 1) {
      cluster.server.put('Service', mcpService('tool', step % 2 === 0 ? 80 : 81));
      await seen(cluster, step);
      cluster.clock.advance(20);
    }
    expect(cluster.all).toHaveLength(51);
    expect(cluster.log.lines.slice(6)).toEqual([]);
  });

  it('of fields that are not decoded is none', async () => {
    const cluster = await startCluster((server) => server.put('Service', mcpService('tool')));
    await cluster.settled();
    cluster.server.put('Service', { ...mcpService('tool'), status: { loadBalancer: {} }, labels: { any: 'label' } });
    await seen(cluster, 1);
    cluster.clock.advance(1000);
    expect(cluster.all).toHaveLength(1);
    expect(cluster.source.identify('Service', 'default/tool')?.resourceVersion).toBe('102');
  });
});

/** Settles once this number of events of Services were received. */
function seen(cluster: ClusterRig, events: number): Promise<void> {
  return cluster.eventually(
    () => cluster.counters.total('gatehouse_source_events_total', { kind: 'Service' }) === events,
  );
}

describe('an observation', () => {
  it('is delivered for objects with a status, as first listed', async () => {
    const status = { conditions: [{ type: 'Accepted', status: 'True' }] };
    const cluster = await startCluster((server) => {
      server.put('Gateway', { ...gateway, status });
      server.put('GatewayClass', { name: 'mcp', spec: { controllerName: 'kgateway.dev/kgateway' } });
      server.put('MCPAuthPolicy', { name: 'policy', spec: {} });
      server.put('Service', mcpService('tool'));
    });
    await cluster.settled();
    expect(cluster.all[0]?.observations).toEqual(
      [
        {
          kind: 'GatewayClass',
          key: 'mcp',
          object: { uid: 'uid-2', resourceVersion: '102', generation: 1, status: undefined },
        },
        {
          kind: 'Gateway',
          key: 'default/gateway',
          object: { uid: 'uid-1', resourceVersion: '101', generation: 1, status },
        },
        { kind: 'MCPAuthPolicy', key: 'default/policy', object: expect.objectContaining({ uid: 'uid-3' }) },
      ].sort((a, b) => order(cluster, a.kind) - order(cluster, b.kind)),
    );
  });

  it('of a new status has no change, and one of a deletion has one', async () => {
    const cluster = await startCluster((server) => server.put('Gateway', gateway));
    await cluster.settled();
    cluster.server.put('Gateway', { ...gateway, status: { listeners: [] } });
    await cluster.until(() => cluster.all.length === 2);
    const object = { uid: 'uid-1', resourceVersion: '102', generation: 1, status: { listeners: [] } };
    expect(cluster.all[1]).toEqual({
      changes: [],
      observations: [{ kind: 'Gateway', key: 'default/gateway', object }],
      synced: true,
    });
    cluster.clock.advance(10);
    cluster.server.remove('Gateway', 'default/gateway');
    await cluster.until(() => cluster.all.length === 3);
    expect(cluster.all[2]).toEqual({
      changes: [{ kind: 'Gateway', key: 'default/gateway', resource: undefined }],
      observations: [{ kind: 'Gateway', key: 'default/gateway', object: undefined }],
      since: expect.any(Number),
      synced: true,
    });
  });

  it('is not delivered twice for one version', async () => {
    const cluster = await startCluster((server) => server.put('Gateway', gateway));
    await cluster.settled();
    const [object] = cluster.server.store.list('Gateway');
    cluster.server.watches('Gateway')[0]?.send(line({ type: 'MODIFIED', object }));
    cluster.server.put('Service', mcpService('tool'));
    await cluster.until(() => cluster.all.length === 2);
    expect(cluster.all[1]).not.toHaveProperty('observations');
  });
});

/** Kinds are listed concurrently, so their order is undefined. */
function order(cluster: ClusterRig, kind: string): number {
  return cluster.all[0]?.observations?.findIndex((one) => one.kind === kind) ?? 0;
}

describe('the bundle version', () => {
  it('is delivered with the first batch, and again only when it differs', async () => {
    const cluster = await startCluster((server) => {
      for (const crd of crds) server.bundles.set(crd, 'v1.5.0');
    });
    await cluster.settled();
    expect(cluster.all[0]?.bundle).toEqual({ known: true, versions: crds.map((crd) => [crd, 'v1.5.0']) });
    cluster.clock.advance(5000);
    for (const crd of crds) cluster.server.bundles.set(crd, 'v1.6.1');
    cluster.server.watches('GatewayClass')[0]?.end();
    await cluster.until(() => cluster.all.length === 2);
    expect(cluster.all[1]?.bundle).toEqual({ known: true, versions: crds.map((crd) => [crd, 'v1.6.1']) });
  });

  it.each([
    ['may not be read', 403],
    ['does not exist', 404],
  ])('that %s is unknown, with the reason', async (_what, status) => {
    const cluster = await startCluster((server) =>
      server.injectFault(({ path }) => path.endsWith(crds[0]), { does: 'answer', status, message: 'for this reason' }),
    );
    await cluster.settled();
    const reason = `CustomResourceDefinition ${crds[0]}: ${status} for this reason`;
    expect(cluster.all[0]?.bundle).toEqual({ known: false, reason });
  });

  it('is waited for no longer than 5 s', async () => {
    const cluster = await startCluster((server) =>
      server.injectFault(({ path }) => path.endsWith(crds[0]), { does: 'hang' }),
    );
    await cluster.eventually(() => cluster.counters.total('gatehouse_source_lists_total') === 6);
    expect(cluster.all).toEqual([]);
    await cluster.pass(5000);
    await cluster.until(() => cluster.synced);
    expect(cluster.all[0]).not.toHaveProperty('bundle');
  });

  it('that is known stays known through an outage', async () => {
    const cluster = await startCluster((server) => {
      for (const crd of crds) server.bundles.set(crd, 'v1.6.1');
    });
    await cluster.settled();
    const reads = cluster.server.requestCount(({ path }) => path.endsWith(crds[0]));
    cluster.server.injectFault(({ path }) => path.endsWith(crds[0]), { does: 'answer', status: 500 });
    cluster.clock.advance(5000);
    cluster.server.watches('GatewayClass')[0]?.end();
    await cluster.server.until(() => cluster.server.requestCount(({ path }) => path.endsWith(crds[0])) > reads);
    cluster.server.put('Service', mcpService('tool'));
    await cluster.until(() => cluster.resources.has('Service default/tool'));
    expect(cluster.all.slice(1).every((batch) => batch.bundle === undefined)).toBe(true);
  });
});

describe('a large change', () => {
  const rules = (size: number): object => ({
    targetRefs: [{ name: 'gw' }],
    rules: [{ matches: [], resource: { kind: 'tool', name: `default/t:${'x'.repeat(size)}` } }],
  });

  it('waits for no other one, so that each is applied in an iteration of the event loop of its own', async () => {
    const cluster = await startCluster();
    await cluster.settled();
    for (const name of ['first', 'second', 'third']) {
      const before = cluster.all.length;
      cluster.server.put('MCPAuthPolicy', { name, spec: rules(1_100_000) });
      await cluster.eventually(() => cluster.clock.waiting().includes(0));
      cluster.clock.advance(0);
      await cluster.until(() => cluster.all.length > before);
    }
  });
});
