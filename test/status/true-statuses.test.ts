import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { StopAsync } from '../../src/edges.ts';
import type { Commit, Graph } from '../../src/graph/model.ts';
import type { Observation } from '../../src/source/model.ts';
import { createStatusManager } from '../../src/status/status.ts';
import type { PolicyStatus } from '../../src/translate/model.ts';
import { settled } from '../support/api-server/status-settled.ts';
import { createManualClock } from '../support/edges/manual-clock.ts';
import { createRecordedCounters } from '../support/edges/recorded-counters.ts';
import { createRecordedLog } from '../support/edges/recorded-log.ts';
import { createTranslatedWorld } from '../support/worlds/translated-world.ts';
import { controllerName, policyOf } from './conditions/stored-statuses.ts';

const names = ['a', 'b', 'c', 'd', 'e', 'f'] as const;

type Edit = { readonly name: (typeof names)[number] | 'shared'; readonly value: number | undefined };
/** Each edit of a change is a part of it. */
type Step =
  | { readonly does: 'change'; readonly edits: readonly Edit[]; readonly pauses: boolean }
  | { readonly does: 'resume' | 'wait' | 'hand over' };

const edit: fc.Arbitrary<Edit> = fc.record({
  name: fc.constantFrom(...names, 'shared', 'shared'),
  value: fc.option(fc.nat({ max: 4 }), { nil: undefined }),
});
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    arbitrary: fc.record({
      does: fc.constant('change' as const),
      edits: fc.array(edit, { maxLength: 5 }),
      pauses: fc.boolean(),
    }),
    weight: 5,
  },
  { arbitrary: fc.record({ does: fc.constantFrom('resume' as const, 'wait' as const) }), weight: 5 },
  { arbitrary: fc.record({ does: fc.constant('hand over' as const) }), weight: 1 },
);

const pathOf = (name: string): string =>
  `/apis/gateway.kgateway.dev/v1alpha1/namespaces/default/mcpauthpolicies/${name}/status`;

/** What an API server stores, and whose writes it has taken. */
function createStore(written: (name: string, uid: number, text: unknown) => void) {
  const objects = new Map<string, { version: number; uid: number; status: unknown }>();
  let version = 0;
  const observationOf = (name: string): Observation => {
    const stored = objects.get(name);
    const object = stored && {
      uid: `${stored.uid}`,
      resourceVersion: `${stored.version}`,
      generation: 3,
      status: stored.status,
    };
    return { kind: 'MCPAuthPolicy', key: `default/${name}`, object };
  };
  const answer = (status: number, body: unknown) => ({ status, header: () => undefined, body: JSON.stringify(body) });
  return {
    observationOf,
    /** Returns the identity of the object. */
    edit(name: string, exists: boolean): number {
      version += 1;
      const before = objects.get(name);
      if (!exists) objects.delete(name);
      else objects.set(name, { version, uid: before?.uid ?? version, status: before?.status });
      return before?.uid ?? version;
    },
    connection: {
      onSuccess: () => () => undefined,
      ask: async ({
        method,
        path,
        body = '',
      }: {
        readonly method: string;
        readonly path: string;
        readonly body?: string;
      }) => {
        await Promise.resolve();
        const name = names.find((one) => path.startsWith(pathOf(one)));
        const stored = name === undefined ? undefined : objects.get(name);
        if (method !== 'PATCH' || name === undefined || stored === undefined) return answer(404, {});
        const patch = JSON.parse(body);
        if (patch.metadata.resourceVersion !== `${stored.version}`) return answer(409, {});
        version += 1;
        stored.version = version;
        stored.status = { ...Object(stored.status), ...patch.status };
        const { uid } = stored;
        written(name, uid, allowed(stored.status));
        return answer(200, {
          metadata: { uid: `${uid}`, resourceVersion: `${version}`, generation: 3 },
          status: stored.status,
        });
      },
    },
    statusOf: (name: string): unknown => allowed(objects.get(name)?.status),
  };
}

const allowed = (status: unknown): unknown => Object(status).allows ?? undefined;

/** Policies whose statuses name their own value and a shared one; two are computed at once. */
function createWorld(graph: Graph) {
  const shared = graph.source<number>({ name: 'shared' });
  const policies = graph.source<string>({ name: 'policies' });
  const policyStatuses = graph.derive(
    policies,
    (value, context): PolicyStatus => ({ ...policyOf('gw'), allows: textOf(value, context.get(shared, '')) }),
    { name: 'statuses', whole: true, atOnce: 2 },
  );
  const current = (name: string): string | undefined => {
    const value = policies.get(`default/${name}`);
    return value === undefined ? undefined : textOf(value, shared.get(''));
  };
  return {
    policyStatuses,
    current,
    /** @param uid of the object that has the name now */
    commit: ({ name, value }: Edit, uid: number, partial: boolean): Commit =>
      graph.commit(
        () => {
          const key = `default/${name}`;
          if (name === 'shared' && value === undefined) shared.delete('');
          else if (name === 'shared') shared.set('', value ?? 0);
          else if (value === undefined) policies.delete(key);
          else policies.set(key, `${uid}/${value}`);
        },
        { partial },
      ),
  };
}

const textOf = (own: string, shared: number | undefined): string => `${own} ${shared ?? 'alone'}`;

/** Two replicas that see the same, of which one leads, until it hands over. */
function createRig() {
  const clock = createManualClock();
  const { graph, translation } = createTranslatedWorld({}, false);
  const world = createWorld(graph);
  graph.postpone();
  /** What the status of each policy has been after a whole change. */
  const truths = new Map<string, Set<unknown>>(names.map((name) => [name, new Set<unknown>()]));
  const untrue: string[] = [];
  const store = createStore((name, uid, text) => {
    if (truths.get(name)?.has(text) !== true || !`${text}`.startsWith(`${uid}/`)) untrue.push(`${name}: ${text}`);
  });
  const managers = ['one', 'other'].map((replica) =>
    createStatusManager({
      translation: { ...translation, policyStatuses: world.policyStatuses },
      connection: store.connection,
      identify: () => undefined,
      controllerName,
      replica,
      lease: undefined,
      leading: () => undefined,
      clock,
      random: () => 0.5,
      log: createRecordedLog(),
      counters: createRecordedCounters(),
    }),
  );
  for (const manager of managers) manager.synced();
  let [leading = -1, stop]: [number?, StopAsync?] = [];
  const applied = (commit: Commit, more: boolean): void => {
    const observations = names.map((name) => store.observationOf(name));
    for (const manager of managers) manager.applied(commit, observations, more);
  };
  const pass = async (): Promise<void> => {
    clock.advance(400);
    await settled();
  };
  const rig = {
    async play(step: Step): Promise<void> {
      if (step.does === 'wait') await pass();
      if (step.does === 'resume') applied(graph.resume(), false);
      if (step.does === 'hand over' && leading + 1 < managers.length) {
        await stop?.();
        leading += 1;
        stop = managers[leading]?.start();
      }
      if (step.does !== 'change') return;
      for (const [at, edit] of step.edits.entries()) {
        const isLast = at === step.edits.length - 1;
        const uid = edit.name === 'shared' ? 0 : store.edit(edit.name, edit.value !== undefined);
        const commit = world.commit(edit, uid, !isLast);
        if (isLast) for (const name of names) truths.get(name)?.add(world.current(name));
        applied(commit, !isLast);
        if (step.pauses) await pass();
      }
    },
    untrue,
    async end(): Promise<void> {
      while (leading < 0) await rig.play({ does: 'hand over' });
      while (graph.isUnfinished) applied(graph.resume(), false);
      for (let step = 0; step < 40; step += 1) await pass();
      await stop?.();
    },
    left: () => names.filter((name) => store.statusOf(name) !== world.current(name)),
  };
  return rig;
}

it('no status is written that was never true, and none is lost: in parts, postponed, and when the leader changes', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30, size: 'max' }), async (steps) => {
      const rig = createRig();
      for (const one of steps) await rig.play(one);
      await rig.end();
      expect(rig.untrue).toEqual([]);
      expect(rig.left()).toEqual([]);
    }),
    { numRuns: 150 },
  );
});
