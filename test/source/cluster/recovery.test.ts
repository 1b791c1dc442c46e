import { describe, expect, it } from 'vitest';
import type { KindName } from '../../../src/resources/model.ts';
import { kinds } from '../../../src/resources/resources.ts';
import { type ClusterRig, mcpService, requestsFor, startCluster } from './cluster-rig.ts';

const allKinds: readonly KindName[] = Object.values(kinds).map(({ kind }) => kind);

const failures = (cluster: ClusterRig, kind: KindName): number =>
  cluster.counters.total('gatehouse_source_watch_failures_total', { kind });
const watches = (cluster: ClusterRig, kind: KindName): number =>
  cluster.counters.total('gatehouse_source_watches_total', { kind });

/** A server that was away until every kind had failed this many times. */
async function afterOutage(times: number, random = () => 0.5): Promise<ClusterRig> {
  const cluster = await startCluster((server) => server.put('Service', mcpService('tool')), { random });
  await cluster.settled();
  await cluster.server.down();
  for (let time = 1; ; time += 1) {
    await cluster.eventually(() => allKinds.every((kind) => failures(cluster, kind) === time));
    if (time === times) break;
    await cluster.eventually(() => cluster.clock.waiting().filter((wait) => wait === waits[time]).length >= 6);
    cluster.clock.advance(waits[time] ?? 0);
  }
  await cluster.server.up();
  return cluster;
}

/** The waits after each failure in a row, with random numbers of one half; the first is that of the watch. */
const waits: readonly number[] = [0, 600, 1200, 2400, 4800];

describe('after an outage of the API server', () => {
  it('one request that succeeds, of whatever client, ends the backoff of every kind', async () => {
    const cluster = await afterOutage(5);
    const before = cluster.clock.now();
    cluster.server.store.remove('Service', 'default/tool');
    cluster.connection.succeed();
    await cluster.until(() => !cluster.resources.has('Service default/tool'));
    await cluster.eventually(() => allKinds.every((kind) => watches(cluster, kind) === 2));
    expect(cluster.clock.now()).toBe(before);
  });

  it('a kind that is forbidden at first is asked again within milliseconds', async () => {
    const cluster = await afterOutage(5);
    cluster.server.injectFault(requestsFor('Service'), { does: 'answer', status: 403 }, 1);
    cluster.connection.succeed();
    await cluster.pass(75);
    await cluster.eventually(() => watches(cluster, 'Service') === 2);
  });

  it.each(['holds', 'refuses'] as const)(
    'a server that %s watches at first is asked for lists instead',
    async (does) => {
      const cluster = await afterOutage(5);
      const asked = cluster.server.requestCount(requestsFor('Service', 'watch'));
      cluster.server.store.remove('Service', 'default/tool');
      const fault = does === 'holds' ? ({ does: 'hang' } as const) : ({ does: 'answer', status: 429 } as const);
      cluster.server.injectFault(requestsFor('Service', 'watch'), fault, 1);
      cluster.connection.succeed();
      await cluster.server.until(() => cluster.server.requestCount(requestsFor('Service', 'watch')) > asked);
      await cluster.pass(does === 'holds' ? 250 : 75);
      await cluster.eventually(() => watches(cluster, 'Service') === 2);
      cluster.clock.advance(10);
      await cluster.until(() => !cluster.resources.has('Service default/tool'));
      expect(cluster.server.requestCount(requestsFor('Service', 'list'))).toBe(2);
    },
  );

  it('a watch that the server holds already when another request succeeds is given up as soon', async () => {
    const cluster = await afterOutage(4);
    cluster.server.store.remove('Service', 'default/tool');
    cluster.server.injectFault(requestsFor('Service', 'watch'), { does: 'hang' }, 1);
    for (const kind of allKinds.filter((other) => other !== 'Service')) {
      cluster.server.injectFault(requestsFor(kind), { does: 'reset' }, 1);
    }
    await cluster.pass(waits[4] ?? 0);
    await cluster.eventually(() => allKinds.every((kind) => kind === 'Service' || failures(cluster, kind) === 5));
    cluster.connection.succeed();
    await cluster.pass(250);
    await cluster.eventually(() => watches(cluster, 'Service') === 2);
    cluster.clock.advance(10);
    await cluster.until(() => !cluster.resources.has('Service default/tool'));
  });

  it('a kind that the starting server told to wait is asked again as soon as another request succeeds', async () => {
    const cluster = await afterOutage(4);
    const starting = { does: 'answer', status: 503, headers: { 'retry-after': '5' } } as const;
    cluster.server.injectFault(requestsFor('Service'), starting, 1);
    for (const kind of allKinds.filter((other) => other !== 'Service')) {
      cluster.server.injectFault(requestsFor(kind), { does: 'reset' }, 1);
    }
    await cluster.pass(waits[4] ?? 0);
    await cluster.eventually(() => allKinds.every((kind) => failures(cluster, kind) === 5));
    const before = cluster.clock.now();
    cluster.connection.succeed();
    await cluster.eventually(() => watches(cluster, 'Service') === 2);
    expect(cluster.clock.now()).toBe(before);
  });
});

it('after an outage, a success between the decision to wait and the wait ends the wait', async () => {
  let decided = (): void => {};
  const cluster = await afterOutage(4, () => {
    decided();
    return 0.5;
  });
  for (const kind of allKinds) cluster.server.injectFault(requestsFor(kind), { does: 'reset' }, 1);
  // Each watch chooses its duration, and its delay once it failed; the wait begins some microtasks later.
  let choices = 0;
  decided = () => {
    choices += 1;
    if (choices === 2 * allKinds.length) queueMicrotask(() => cluster.connection.succeed());
  };
  const before = cluster.clock.now() + (waits[4] ?? 0);
  await cluster.pass(waits[4] ?? 0);
  await cluster.eventually(() => allKinds.every((kind) => watches(cluster, kind) === 2));
  expect(cluster.clock.now()).toBe(before);
});
