import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createPipeline } from '../../src/app/pipeline.ts';
import type { KindName } from '../../src/resources/model.ts';
import type { ApiObject } from '../../src/source/cluster/api/object.ts';
import { BatchDispatcher } from '../../src/source/cluster/batch-dispatcher.ts';
import { PendingChanges } from '../../src/source/cluster/pending-changes.ts';
import { ObjectStore } from '../../src/source/cluster/reflector/object-store.ts';
import { agentgateway } from '../../src/wire/wire.ts';
import { createRecordedCounters } from '../support/edges/recorded-counters.ts';
import { createRecordedLog } from '../support/edges/recorded-log.ts';
import { createTurns } from '../support/edges/turns.ts';
import { configType, targetType } from '../support/worlds/hand-made-world.ts';
import { defaultSettings } from '../support/worlds/translated-world.ts';

const namespaces = ['a', 'b'] as const;
type Namespace = (typeof namespaces)[number];
const kinds = ['GatewayClass', 'Gateway', 'MCPAuthPolicy', 'Service'] as const;

/** Bytes of a Service that is a part of its own, so that a few of them are a change in parts. */
const large = 600_000;

type Step =
  | { readonly does: 'policy'; readonly at: Namespace; readonly name: string; readonly tools: readonly string[] }
  | { readonly does: 'service'; readonly name: string; readonly address: number | undefined }
  | { readonly does: 'turn' };

const tools = fc.subarray(['r', 's', 't']);
const policyStep = fc.record({
  does: fc.constant('policy' as const),
  at: fc.constantFrom(...namespaces),
  name: fc.constantFrom('p', 'q'),
  tools,
});
const serviceStep = fc.record({
  does: fc.constant('service' as const),
  name: fc.constantFrom('x', 'y', 'z'),
  address: fc.option(fc.nat({ max: 9 }), { nil: undefined }),
});
const steps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.oneof(
    { arbitrary: policyStep, weight: 3 },
    { arbitrary: serviceStep, weight: 4 },
    { arbitrary: fc.constant({ does: 'turn' as const }), weight: 3 },
  ),
  { maxLength: 40, size: 'max' },
);

/** What the API server has, or nodes see: the targets, and what is allowed at the Gateway of each namespace. */
interface World {
  readonly targets: string;
  readonly allowed: Readonly<Record<Namespace, readonly string[]>>;
}

/** The source of a cluster without its requests, and all stages up to the snapshots. */
function createRig() {
  const [log, counters, turns] = [createRecordedLog(), createRecordedCounters(), createTurns()];
  const pending = new PendingChanges(
    kinds.map((kind) => ({ kind, namespace: undefined })),
    { log, counters },
  );
  const pipeline = createPipeline(defaultSettings, { log, counters });
  let delivered = (): void => {};
  const deliver = (batch: Parameters<typeof pipeline.deliver>[0]): void => {
    expect(pipeline.deliver(batch).failures).toEqual([]);
    delivered();
  };
  const dispatcher = new BatchDispatcher({ pending, deliver, clock: turns.clock, log });
  const stores = new Map<KindName, ObjectStore>(
    kinds.map((kind) => [kind, new ObjectStore(kind, pending.handlerOf(kind))]),
  );
  let version = 0;
  const put = (kind: KindName, namespace: string, name: string, spec: object, bytes = 100): void => {
    version += 1;
    const resourceVersion = String(version);
    const metadata = { namespace, name, uid: name, resourceVersion, generation: version };
    const key = namespace === '' ? name : `${namespace}/${name}`;
    const content: ApiObject['content'] = { is: 'json', json: { metadata, spec } };
    stores.get(kind)?.set({ key, uid: name, resourceVersion, created: '', bytes, content });
  };
  put('GatewayClass', '', 'mcp', { controllerName: 'kgateway.dev/kgateway' });
  const listener = {
    name: 'mcp',
    port: 80,
    protocol: 'kgateway.dev/mcp',
    allowedRoutes: { namespaces: { from: 'All' } },
  };
  for (const at of namespaces) put('Gateway', at, 'gw', { gatewayClassName: 'mcp', listeners: [listener] });
  for (const kind of kinds) pending.collectionSynced({ kind, namespace: undefined });
  pending.bundleRead(undefined);
  dispatcher.dispatch();
  return {
    ...{ turns, pipeline, put },
    remove: (kind: KindName, key: string) => stores.get(kind)?.remove(key),
    onDelivery: (listen: () => void): void => {
      delivered = listen;
    },
    /** As the source does after each piece of a watch. */
    changed: (): void => (pending.isLarge ? dispatcher.dispatchNext() : dispatcher.dispatch()),
    shown: (): World => shownBy(pipeline),
  };
}

function shownBy({ snapshots }: Pick<ReturnType<typeof createPipeline>, 'snapshots'>): World {
  const resources = (at: Namespace, type: string) => [...(snapshots.of(`${at}/gw`).views.get(type)?.resources() ?? [])];
  const allowed = (at: Namespace): readonly string[] =>
    resources(at, configType).flatMap(({ name, sotwField }) => {
      const text = Buffer.from(sotwField).toString('latin1');
      return ['r', 's', 't'].filter((tool) => text.includes(`z/z:${tool}`)).map((tool) => `${name} ${tool}`);
    });
  return {
    targets: JSON.stringify(resources('a', targetType).map(({ name, version }) => [name, version])),
    allowed: { a: allowed('a'), b: allowed('b') },
  };
}

/** Does a step, and nothing else. */
function play(step: Step, rig: Pick<ReturnType<typeof createRig>, 'put' | 'remove' | 'changed' | 'turns'>) {
  if (step.does === 'turn') {
    rig.turns.take();
    return;
  }
  if (step.does === 'policy') {
    const match = { type: 'JWT', jwt: { claim: 'sub', value: 'me' } };
    const rules = step.tools.map((tool) => ({ matches: [match], resource: { kind: 'tool', name: `z/z:${tool}` } }));
    if (step.tools.length === 0) rig.remove('MCPAuthPolicy', `${step.at}/${step.name}`);
    else rig.put('MCPAuthPolicy', step.at, step.name, { targetRefs: [{ name: 'gw' }], rules });
  } else if (step.address === undefined) rig.remove('Service', `z/${step.name}`);
  else {
    const spec = { clusterIP: `10.0.0.${step.address}`, ports: [{ port: 1, appProtocol: 'kgateway.dev/mcp' }] };
    rig.put('Service', 'z', step.name, spec, large);
  }
  rig.changed();
}

const isWithin = (some: readonly string[], all: readonly string[]): boolean => some.every((one) => all.includes(one));

it('what is taken away is seen beside a change in parts, and no more than ever was there together is allowed', () => {
  fc.assert(
    fc.property(fc.boolean(), steps, (isOpen, all) => {
      const rig = createRig();
      if (isOpen) rig.pipeline.snapshots.request(agentgateway.resourceType.typeUrl);
      // What each step makes is what one does that delivers everything at once.
      const direct = createRig();
      const worlds: World[] = [direct.shown()];
      const last = { targets: 0, a: 0, b: 0 };
      rig.onDelivery(() => {
        const { targets, allowed } = rig.shown();
        last.targets = worlds.findIndex((world, at) => at >= last.targets && world.targets === targets);
        expect(last.targets).toBeGreaterThanOrEqual(0);
        for (const at of namespaces) {
          const text = allowed[at].join();
          last[at] = worlds.findIndex((world, index) => index >= last[at] && world.allowed[at].join() === text);
          expect(last[at]).toBeGreaterThanOrEqual(0);
          // Some world with these targets has allowed as much.
          expect(worlds.some((world) => world.targets === targets && isWithin(allowed[at], world.allowed[at]))).toBe(
            true,
          );
        }
      });
      for (const step of all) {
        play(step, direct);
        while (direct.turns.count() > 0) direct.turns.take();
        worlds.push(direct.shown());
        play(step, rig);
      }
      while (rig.turns.count() > 0) rig.turns.take();
      expect(rig.shown()).toEqual(worlds.at(-1));
    }),
    { numRuns: 60 },
  );
});

it('a policy that goes is gone at the next turn, before the parts that are left of a large change', () => {
  const rig = createRig();
  const policy = (at: Namespace, name: string, ...tools: readonly string[]) =>
    play({ does: 'policy', at, name, tools }, rig);
  for (const at of namespaces) policy(at, 'p', 'r', 's');
  for (let n = 0; n < 40; n += 1) play({ does: 'service', name: `s${n}`, address: n }, rig);
  rig.turns.take();
  policy('a', 'p');
  policy('b', 'p', 's');
  const before = rig.shown().targets;
  let turns = 0;
  for (; rig.shown().allowed.a.length > 0 || rig.shown().allowed.b.length > 1; turns += 1) rig.turns.take();
  expect(turns).toBe(1);
  expect(rig.shown()).toEqual({ targets: before, allowed: { a: [], b: ['b.p s'] } });
  while (rig.turns.count() > 0) rig.turns.take();
  expect(JSON.parse(rig.shown().targets)).toHaveLength(40);
});

it('a policy that hands over to another one of its namespace waits for it', () => {
  const rig = createRig();
  const policy = (name: string, ...tools: readonly string[]) => play({ does: 'policy', at: 'a', name, tools }, rig);
  policy('p', 'r');
  for (let n = 0; n < 40; n += 1) play({ does: 'service', name: `s${n}`, address: n }, rig);
  policy('p');
  policy('q', 'r');
  const seen = new Set<string>();
  rig.onDelivery(() => seen.add(rig.shown().allowed.a.join()));
  while (rig.turns.count() > 0) rig.turns.take();
  expect([...seen]).toEqual(['a.p r', 'a.q r']);
});

it('a policy whose signers count hands over to the next one when everything before it counts', () => {
  const rig = createRig();
  const signers = (name: string, tool: string): void => {
    const match = { type: 'JWT', jwt: { claim: 'sub', value: 'me' } };
    const jwt = { providers: [{ issuer: name, audiences: ['me'], jwks: { uri: `https://${name}.example/` } }] };
    const rules = [{ matches: [match], resource: { kind: 'tool', name: `z/z:${tool}` } }];
    rig.put('MCPAuthPolicy', 'a', name, { targetRefs: [{ name: 'gw' }], rules, jwt });
    rig.changed();
  };
  signers('p', 'r');
  signers('q', 's');
  play({ does: 'service', name: 'x', address: 1 }, rig);
  while (rig.turns.count() > 0) rig.turns.take();
  expect(rig.shown().allowed.a).toEqual(['a.p r']);
  for (let n = 0; n < 4; n += 1) play({ does: 'service', name: `s${n}`, address: n }, rig);
  play({ does: 'service', name: 'x', address: undefined }, rig);
  rig.remove('MCPAuthPolicy', 'a/p');
  rig.changed();
  const seen: unknown[] = [];
  rig.onDelivery(() => seen.push([rig.shown().targets.includes('z/x'), rig.shown().allowed.a.join()]));
  while (rig.turns.count() > 0) rig.turns.take();
  expect(seen).toContainEqual([false, 'a.q s']);
  expect(seen).not.toContainEqual([true, 'a.q s']);
});

it('what policies of a namespace lose turn after turn is in no batch, which would hold up what they lose next', () => {
  const rig = createRig();
  const policy = (name: string, ...tools: readonly string[]) => play({ does: 'policy', at: 'a', name, tools }, rig);
  for (const name of ['p', 'q', 'r']) policy(name, 'r');
  for (let n = 0; n < 40; n += 1) play({ does: 'service', name: `s${n}`, address: n }, rig);
  for (const name of ['p', 'q']) {
    policy(name);
    rig.turns.take();
  }
  expect(rig.shown().allowed.a).toEqual(['a.r r']);
  rig.turns.take();
  policy('r');
  rig.turns.take();
  expect(rig.shown()).toEqual({ targets: '[]', allowed: { a: [], b: [] } });
});
