import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { connectKube } from '../../src/kube/kube.ts';
import { ListingBudget } from '../../src/source/cluster/reflector/admission/listing-budget.ts';
import { clusterSource } from '../../src/source/source.ts';
import { kubeAssets } from '../support/cluster/kube-apiserver.ts';
import { polled } from '../support/cluster/poll.ts';
import { type ClusterWorld, startClusterWorld } from '../support/cluster/world.ts';
import { createFastClock } from '../support/edges/fast-clock.ts';
import { createRecordedCounters } from '../support/edges/recorded-counters.ts';
import { createRecordedLog } from '../support/edges/recorded-log.ts';
import { type Batches, createBatches } from '../support/worlds/batches.ts';

const skipped = kubeAssets() === undefined;
let world: ClusterWorld;

beforeAll(async () => {
  if (!skipped) world = await startClusterWorld();
});
afterAll(() => world?.[Symbol.asyncDispose]());

/** Room for 100 KB of Services, and of each other kind. */
const budget = (): ListingBudget =>
  new ListingBudget({
    shared: { objects: 1_000, bytes: 1_000_000 },
    mostOfKind: { objects: 1_000, bytes: 100_000 },
    ofKind: { objects: 0, bytes: 0 },
    received: 2 ** 24,
  });

interface Follower {
  readonly batches: Batches;
  /** The Services that have no room, by name. */
  ignored(): readonly string[];
}

/** Follows the cluster with little room, with a clock that runs fast. */
async function follow(): Promise<Follower> {
  const [clock, counters] = [createFastClock(30), createRecordedCounters()];
  const access = { by: 'kubeconfig', path: world.api.kubeconfig(), context: undefined } as const;
  const connection = await connectKube(access, { version: '1', clock, counters });
  const source = clusterSource({
    connection,
    clock,
    counters,
    random: Math.random,
    log: createRecordedLog(),
    budget: budget(),
  });
  const batches = createBatches();
  const stop = await source.start(batches.deliver);
  onTestFinished(async () => {
    await stop();
    await connection.stop();
  });
  await batches.until(({ synced }) => synced);
  const ignored = (): readonly string[] =>
    source.diagnostics().flatMap(({ object, message }) => (message.includes('is ignored') ? [object ?? ''] : []));
  return { batches, ignored };
}

async function create(name: string, bytes: number, namespace = 'default'): Promise<void> {
  const annotations = { fill: 'x'.repeat(bytes) };
  const spec = { ports: [{ port: 80, appProtocol: 'kgateway.dev/mcp' }] };
  const body = { apiVersion: 'v1', kind: 'Service', metadata: { name, annotations }, spec };
  const path = `/api/v1/namespaces/${namespace}/services`;
  const { status, text } = await world.api.request(path, { method: 'POST', body });
  if (status !== 201) throw new Error(text);
}

const named = (name: string): string => `Service default/${name}`;

/** Settles once a follower reads the one Service and ignores the other. */
function agrees({ batches, ignored }: Follower, reads: string, ignores: string): Promise<true> {
  return polled(
    async () => (batches.resources.has(named(reads)) && ignored().join() === named(ignores) ? true : undefined),
    () => `${reads} is not read, or not only ${ignores} is ignored: ${ignored().join()}`,
  );
}

describe.skipIf(skipped)('two replicas of a cluster with more than there is room for', () => {
  it('come to ignore the same objects, whenever they started, and read them once there is room', async () => {
    const early = await follow();
    await create('large', 60_000);
    await early.batches.until(({ resources }) => resources.has(named('large')));
    await create('small', 40_000);
    // The largest of the namespace gives way, in a watch as in a list.
    const late = await follow();
    expect(late.ignored()).toEqual([named('large')]);
    expect(late.batches.resources.has(named('small'))).toBe(true);
    await agrees(early, 'small', 'large');
    await world.api.kubectl(['delete', 'service', 'small']);
    for (const replica of [early, late]) {
      await polled(
        async () =>
          replica.batches.resources.has(named('large')) && replica.ignored().length === 0 ? true : undefined,
        () => 'large is not read again',
      );
    }
  });

  it('let the namespace that holds most give way, however small its objects are, and the same of them', async () => {
    await world.api.kubectl(['delete', 'service', 'large']);
    for (const namespace of ['honest', 'flood']) await world.api.kubectl(['create', 'namespace', namespace]);
    const early = await follow();
    await create('tool', 30_000, 'honest');
    for (let at = 10; at < 50; at += 1) await create(`small-${at}`, 2_500, 'flood');
    await polled(
      async () => (early.ignored().length > 0 ? true : undefined),
      () => 'nothing gives way',
    );
    await create('last', 10_000, 'honest');
    const late = await follow();
    await polled(
      async () => (early.ignored().toSorted().join() === late.ignored().toSorted().join() ? true : undefined),
      () => `the replicas ignore ${early.ignored().length} and ${late.ignored().length} objects`,
    );
    for (const { batches, ignored } of [early, late]) {
      for (const name of ['tool', 'last']) expect(batches.resources.has(`Service honest/${name}`)).toBe(true);
      expect(ignored().filter((object) => !object.startsWith('Service flood/'))).toEqual([]);
    }
  });
});
