import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Clock } from '../../../src/edges.ts';
import type { ApiRequest, ApiResponse } from '../../../src/kube/model.ts';
import type { KindName } from '../../../src/resources/model.ts';
import { kinds } from '../../../src/resources/resources.ts';
import type { ReadConnection } from '../../../src/source/cluster/api/reader.ts';
import { clusterSource } from '../../../src/source/source.ts';
import { discover } from '../../support/api-server/discovery.ts';
import { ApiStore } from '../../support/api-server/store.ts';
import { createRecordedCounters } from '../../support/edges/recorded-counters.ts';
import { createRecordedLog } from '../../support/edges/recorded-log.ts';
import { systemClock } from '../../support/edges/system-clock.ts';
import { createBatches } from '../../support/worlds/batches.ts';
import { mcpService } from './cluster-rig.ts';

/** What a server that has just started, or is failing, says instead of a list. */
const faults = [
  { status: 429, body: '{"kind":"Status","code":429}' },
  { status: 401, body: '' },
  { status: 404, body: '404 page not found' },
  { status: 500, body: '{"kind":"Status","code":500}' },
  { status: 200, body: '<html></html>', type: 'text/html' },
  { status: 200, body: '<html></html>' },
  { status: 200, body: '{"kind":"Status","items":[]}' },
  { status: 200, body: '{"kind":"List","metadata":{"resourceVersion":"1"},"items":[' },
  { status: 200, body: '{"kind":"List","metadata":{},"items":[]}' },
  { status: 200, body: '' },
  'breaks',
] as const;

type Fault = (typeof faults)[number];

/** What a server does that has just started. */
interface Plan {
  /** Requests that it forbids because it does not know its roles yet, of whatever kind. */
  readonly forbidden: number;
  /** The faults of each request that comes before an answer, by the end of its path. */
  readonly faults: Readonly<Record<string, readonly Fault[]>>;
}

const places = [...Object.values(kinds).map(({ plural }) => plural), 'apis', 'v1'];
const plans: fc.Arbitrary<Plan> = fc.record({
  forbidden: fc.nat(12),
  faults: fc
    .array(fc.array(fc.constantFrom(...faults), { maxLength: 3 }), {
      minLength: places.length,
      maxLength: places.length,
    })
    .map((all) => Object.fromEntries(places.map((place, at) => [place, all[at] ?? []]))),
});

function response(status: number, body: string, type = 'application/json'): ApiResponse {
  const chunks = async function* (): AsyncGenerator<Uint8Array> {
    if (body !== '') yield Buffer.from(body);
  };
  return { status, header: (name) => (name === 'content-type' ? type : undefined), body: chunks() };
}

/** A watch without events. */
function silence(signal: AbortSignal | undefined): ApiResponse {
  const body = async function* (): AsyncGenerator<Uint8Array> {
    const { promise, reject } = Promise.withResolvers<never>();
    signal?.addEventListener('abort', () => reject(new Error('aborted')), { once: true });
    yield Buffer.from('\n');
    await promise;
  };
  return { status: 200, header: () => 'application/json', body: body() };
}

/** An API server without a network, with these faults first. */
function connectionTo(store: ApiStore, plan: Plan): ReadConnection {
  const left = new Map(Object.entries(plan.faults).map(([place, all]) => [place, [...all]]));
  let { forbidden } = plan;
  const served = new Set(Object.values(kinds).map(({ kind }) => kind));
  const answer = ({ path, signal }: ApiRequest): ApiResponse => {
    const url = new URL(path, 'http://api');
    if (url.searchParams.get('watch') === 'true') return silence(signal);
    forbidden -= 1;
    if (forbidden >= 0) return response(403, '{"kind":"Status","code":403}');
    const place = url.pathname.slice(url.pathname.lastIndexOf('/') + 1);
    const fault = left.get(place)?.shift();
    if (fault === 'breaks') throw new Error('broke the connection');
    if (fault !== undefined) return response(fault.status, fault.body, 'type' in fault ? fault.type : undefined);
    const kind = Object.values(kinds).find(({ plural }) => plural === place)?.kind;
    if (kind !== undefined) return response(200, listOf(store, kind));
    const found = discover(url.pathname, served);
    return found === undefined ? response(404, '{}') : response(200, JSON.stringify(found));
  };
  return {
    server: 'http://api',
    send: async (request) => answer(request),
    forgetCredentials: () => undefined,
    reconnect: () => undefined,
    onSuccess: () => () => undefined,
  };
}

function listOf(store: ApiStore, kind: KindName): string {
  const metadata = { resourceVersion: String(store.version) };
  return JSON.stringify({ kind: `${kind}List`, metadata, items: store.list(kind) });
}

/** Runs delays of less than two minutes at once, and longer ones never. */
const hurried: Clock = {
  ...systemClock,
  after: (milliseconds, run) => {
    if (milliseconds >= 120_000) return () => undefined;
    const immediate = setImmediate(run);
    return () => clearImmediate(immediate);
  },
};

function worldOf(services: number): ApiStore {
  const store = new ApiStore(100);
  store.put('GatewayClass', { name: 'mcp', spec: { controllerName: 'kgateway.dev/kgateway' } });
  store.put('Namespace', { name: 'default' });
  store.put('Gateway', { name: 'gw', spec: { gatewayClassName: 'mcp', listeners: [] } });
  store.put('GatewayParameters', { name: 'own', spec: { selfManaged: {} } });
  store.put('MCPAuthPolicy', { name: 'p', spec: { targetRefs: [{ name: 'gw' }], rules: [] } });
  for (let index = 0; index < services; index += 1) store.put('Service', mcpService(`s-${index}`));
  return store;
}

it('a control plane that starts delivers the whole world first, or nothing, in a thousand starts', async () => {
  const store = worldOf(3);
  const everything = Object.values(kinds)
    .flatMap(({ kind }) => store.list(kind).map((object) => [kind, object.metadata] as const))
    .map(([kind, { name, namespace }]) => `${kind} ${namespace === undefined ? name : `${namespace}/${name}`}`);
  await fc.assert(
    fc.asyncProperty(plans, async (plan) => {
      const batches = createBatches();
      const source = clusterSource({
        connection: connectionTo(store, plan),
        clock: hurried,
        random: () => 0.5,
        log: createRecordedLog(),
        counters: createRecordedCounters(),
      });
      const stop = await source.start(batches.deliver);
      const first = await batches.next();
      expect([...batches.resources.keys()].sort()).toEqual([...everything].sort());
      expect(first.synced).toBe(true);
      await stop();
      const removals = batches.all.flatMap(({ changes }) => changes.filter(({ resource }) => resource === undefined));
      expect(removals).toEqual([]);
    }),
    { numRuns: 1_000 },
  );
});
