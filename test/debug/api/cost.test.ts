import { setImmediate } from 'node:timers/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Pipeline } from '../../../src/app/pipeline.ts';
import { graphView } from '../../../src/debug/api/graph-view.ts';
import { type ObjectParts, objectView } from '../../../src/debug/api/object-view.ts';
import { createExplainer } from '../../../src/explain/explain.ts';
import type { Collection } from '../../../src/graph/model.ts';
import { systemClock } from '../../support/edges/system-clock.ts';
import { createFreshWorld } from '../../support/worlds/fresh-world.ts';
import { mcpClass, mcpGateway, mcpService, policy, policyWith, together } from '../../support/worlds/manifests.ts';
import { defaultSettings } from '../../support/worlds/translated-world.ts';

/** What an endpoint reads is counted: time depends on the machine. */

const teams = Array.from({ length: 40 }, (_, index) => `team-${index}`);
const world = together(
  mcpClass,
  ...teams.map((team) => mcpGateway(`${team}/gw`, 'from: Same')),
  ...teams.map((team) => mcpService(`${team}/tool`)),
  ...teams.flatMap((team) => [
    policy(`${team}/a`, 'gw'),
    policy(`${team}/b`, 'gw', 'you', `{ kind: tool, name: "${team}/tool:run" }`),
  ]),
  // Named and not attached: it has no rules.
  policyWith('team-1/none', '[{ name: gw }]', '[]'),
);

let pipeline: Pipeline;
beforeAll(() => {
  ({ pipeline } = createFreshWorld({ 'world.yaml': world }));
});

function answerOf<T>(steps: Generator<undefined, T>): T {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

/** The sources of the views, and the number of entries that were read of the attachments, by key or by walking. */
function counted(): { readonly parts: ObjectParts; readonly reads: () => number } {
  let reads = 0;
  const { attachments } = pipeline.translation;
  const counting: Collection<typeof attachments extends Collection<infer V> ? V : never> = {
    name: attachments.name,
    get size() {
      return attachments.size;
    },
    get: (key) => {
      reads += 1;
      return attachments.get(key);
    },
    entries: () => {
      reads += attachments.size;
      return attachments.entries();
    },
  };
  const translation = { ...pipeline.translation, attachments: counting };
  const { resources, snapshots, dialects } = pipeline;
  const explainer = createExplainer({ ...explainInputs(), translation });
  const parts: ObjectParts = {
    resources,
    translation,
    snapshots,
    dialects,
    explainer,
    nodes: () => [],
    now: () => 0,
    manifestOf: () => Promise.resolve(undefined),
    placesOf: (places) => Promise.resolve(places.map(() => undefined)),
    decode: () => ({}),
    clock: systemClock,
  };
  return { parts, reads: () => reads };
}

function explainInputs(): Omit<Parameters<typeof createExplainer>[0], 'translation'> {
  const unlistedNamespaces = { name: 'unlisted', size: 0, get: () => undefined, entries: () => new Map().entries() };
  return { resources: pipeline.resources, unlistedNamespaces, controllerName: defaultSettings.controllerName };
}

describe('the attachments of other Gateways are not read', () => {
  it.each(['kind=Service&key=team-7/tool', 'kind=Gateway&key=team-7/gw', 'kind=MCPAuthPolicy&key=team-7/b'])(
    'for the object %s',
    async (query) => {
      const { parts, reads } = counted();
      const { grants } = (await objectView(parts, new URLSearchParams(query), setImmediate)) as {
        readonly grants: { readonly total: number };
      };
      expect(grants.total).toBe(query.includes('Policy') ? 1 : 2);
      expect(reads()).toBe(0);
    },
  );

  it('for a Gateway of the picture', () => {
    const { parts, reads } = counted();
    expect(answerOf(graphView(parts, new URLSearchParams('gateway=team-7/gw')))).toMatchObject({
      policies: {
        total: 2,
        items: [
          { policy: 'team-7/a', attached: true },
          { policy: 'team-7/b', attached: true },
        ],
      },
    });
    expect(reads()).toBe(0);
  });

  it('for an explanation', () => {
    const { parts, reads } = counted();
    expect(parts.explainer.grants('team-7/gw', { claims: { sub: 'you' } })).toMatchObject([{ policy: 'team-7/b' }]);
    expect(parts.explainer.decide('team-7/gw', { sub: 'me' }, { kind: 'tool', name: 'team-7/tool:run' }).allowed).toBe(
      true,
    );
    expect(reads()).toBe(0);
  });
});

describe('a list of Gateways', () => {
  /** The answer, the snapshots that were read for it, and the most Gateways that were looked at in one step. */
  function listed(query: string) {
    const { parts } = counted();
    const { gateways, gatewayStatuses } = parts.translation;
    const { snapshots: real } = parts;
    let [snapshots, looks, most] = [0, 0, 0];
    const counting: ObjectParts = {
      ...parts,
      snapshots: {
        types: real.types,
        size: () => real.size(),
        gateways: () => real.gateways(),
        request: (typeUrl) => real.request(typeUrl),
        diff: (from, to) => real.diff(from, to),
        empty: (typeUrl) => real.empty(typeUrl),
        subscribe: (gateway, changed) => real.subscribe(gateway, changed),
        of(gateway) {
          snapshots += 1;
          return real.of(gateway);
        },
      },
      translation: {
        ...parts.translation,
        gateways: {
          name: gateways.name,
          size: gateways.size,
          entries: () => gateways.entries(),
          get(key) {
            looks += 1;
            return gateways.get(key);
          },
        },
        // As if every Gateway were refused.
        gatewayStatuses: {
          failures: gatewayStatuses.failures,
          isPostponed: () => false,
          name: gatewayStatuses.name,
          size: gatewayStatuses.size,
          entries: () => gatewayStatuses.entries(),
          get(key) {
            const status = gatewayStatuses.get(key);
            return status && { ...status, conditions: status.conditions.map((one) => ({ ...one, status: 'False' })) };
          },
        },
      },
    };
    const steps = graphView(counting, new URLSearchParams(query));
    for (let before = 0; ; before = looks) {
      const step = steps.next();
      if (step.done === true) return { answer: step.value, snapshots, most };
      most = Math.max(most, looks - before);
    }
  }

  it.each(['', '&only=problems'])(
    'reads the snapshots of its page alone, in steps of one Gateway: ?limit=3%s',
    (more) => {
      const { answer, snapshots, most } = listed(`limit=3${more}`);
      expect(answer).toMatchObject({ total: teams.length, items: { length: 3 } });
      expect(snapshots).toBe(3);
      expect(most).toBeLessThanOrEqual(1);
    },
  );

  it('has all of them in their order, with offset and search', () => {
    const names = ({ answer }: ReturnType<typeof listed>): readonly string[] =>
      (answer as { readonly items: readonly { readonly gateway: string }[] }).items.map(({ gateway }) => gateway);
    expect(names(listed('limit=1000'))).toEqual(teams.map((team) => `${team}/gw`).sort());
    expect(names(listed('q=TEAM-3&offset=1&limit=2'))).toEqual(['team-30/gw', 'team-31/gw']);
    expect(names(listed('q=nothing'))).toEqual([]);
  });
});

it('the indexes of attachments find what a walk over all of them finds', () => {
  const { attachments, attachedPolicies, attachedGateways } = pipeline.translation;
  const all = [...attachments.entries()].map(([, attachment]) => attachment);
  expect(all).toHaveLength(2 * teams.length);
  for (const { gateway, policy: key } of all) {
    expect(attachedPolicies(gateway)).toEqual(
      all
        .filter((one) => one.gateway === gateway)
        .map((one) => one.policy)
        .sort(),
    );
    expect(attachedGateways(key)).toEqual([gateway]);
  }
  expect([attachedPolicies('team-1/other'), attachedGateways('team-1/none')]).toEqual([[], []]);
});
