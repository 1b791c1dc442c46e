import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createPipeline, type Pipeline } from '../../src/app/pipeline.ts';
import { decide, indexRules } from '../../src/authz/authz.ts';
import type { Claims } from '../../src/explain/model.ts';
import { DiscoveryResponse } from '../../src/gen/envoy/service/discovery/v3/discovery.ts';
import { Config } from '../../src/gen/mcp/kgateway/dev/rbac/v1alpha1/rbac.ts';
import { changeOf } from '../../src/source/resource-change.ts';
import { manifestsOf } from '../features/worlds/world.ts';
import { worlds } from '../features/worlds/worlds.ts';
import { createRecordedCounters } from '../support/edges/recorded-counters.ts';
import { createRecordedLog } from '../support/edges/recorded-log.ts';
import { createFreshWorld } from '../support/worlds/fresh-world.ts';
import { withGarbage } from '../support/worlds/garbage.ts';
import { configType } from '../support/worlds/hand-made-world.ts';
import { defaultSettings, type Manifest, readManifest } from '../support/worlds/translated-world.ts';
import { anyWorld } from '../support/worlds/worlds.ts';

/** The Configs that a node of the Gateway receives, decoded from their bytes. */
function configsOf({ snapshots }: Pipeline, gateway: string): ReadonlyMap<string, Config> {
  const configs = new Map<string, Config>();
  for (const view of snapshots.of(gateway).views.values()) {
    for (const { typeUrl, name, sotwField } of view.resources()) {
      const [resource] = DiscoveryResponse.decode(sotwField).resources;
      if (typeUrl === configType && resource !== undefined) configs.set(name, Config.decode(resource.value));
    }
  }
  return configs;
}

const oddClaims = fc.dictionary(
  fc.constantFrom('sub', 'email', '__proto__', 'constructor'),
  fc.oneof(
    fc.constantFrom<unknown>('me', 'you', '', 'system:serviceaccount:a:bot', 'system:serviceaccount:b:bot', 5, null),
    fc.constantFrom<unknown>(['me'], { sub: 'me' }, true),
  ),
  { maxKeys: 3 },
);
const claims: fc.Arbitrary<Claims> = fc.oneof(
  oddClaims,
  fc.constantFrom<Claims>({ sub: 'me' }, { email: 'you' }, { sub: 'you', email: 'me' }),
);
const request = fc.record({
  kind: fc.constantFrom('tool' as const, 'prompt' as const, 'resource' as const),
  name: fc.constantFrom(
    'a/s:run',
    'a/s:run',
    'a/s/81:run',
    'b/t:run',
    'b/s:x',
    'a/s:other',
    '*',
    'run',
    '',
    ':',
    'mcp://a/s/x',
  ),
});
const gateway = fc.constantFrom('a/g', 'a/g', 'a/g', 'a/h', 'b/g', 'b/h', 'a/none', 'default/gw', '');

/** A valid policy of rules that the questions often match. */
const granting: fc.Arbitrary<Manifest> = fc
  .array(
    fc.record({
      kind: fc.constantFrom('tool', 'prompt', 'resource'),
      name: fc.constantFrom('*', 'a/s:run', 'a/s/81:run', 'b/s:x'),
      values: fc.uniqueArray(fc.constantFrom('me', 'you'), { minLength: 1 }),
      claim: fc.constantFrom('sub', 'email'),
    }),
    { minLength: 1, maxLength: 4 },
  )
  .map((rules) => ({
    apiVersion: 'gateway.kgateway.dev/v1alpha1',
    kind: 'MCPAuthPolicy',
    metadata: { namespace: 'a', name: 'granting' },
    spec: {
      targetRefs: [{ name: 'g' }, { name: 'h' }],
      rules: rules.map(({ kind, name, values, claim }) => ({
        matches: values.map((value) => ({ type: 'JWT', jwt: { claim, value } })),
        resource: { kind, name },
      })),
    },
  }));
const grantingWorld = fc.tuple(anyWorld, granting).map(([world, policy]): readonly Manifest[] => [...world, policy]);

/** Compares the explanation with the decision of the data plane over the bytes that it would receive. */
function expectSameVerdict(
  pipeline: Pipeline,
  key: string,
  caller: Readonly<Record<string, unknown>>,
  asked: { readonly kind: 'tool' | 'prompt' | 'resource'; readonly name: string },
): boolean {
  const decision = decide(indexRules(configsOf(pipeline, key)), caller, asked);
  const verdict = pipeline.explainer.decide(key, caller, asked);
  expect(verdict.allowed).toBe(decision.allowed);
  if (verdict.allowed && decision.allowed) expect(verdict.by.policy.replace('/', '.')).toBe(decision.config);
  if (!verdict.allowed) expect(verdict.reasons.length).toBeGreaterThan(0);
  return verdict.allowed;
}

function pipelineOf(manifests: readonly Manifest[]): Pipeline {
  const pipeline = createPipeline(defaultSettings, { log: createRecordedLog(), counters: createRecordedCounters() });
  const changes = manifests.flatMap((manifest) => {
    const { kind, key, resource } = readManifest(manifest);
    return resource === undefined ? [] : [changeOf(kind, key, resource)];
  });
  pipeline.deliver({ changes, unlistedNamespaces: 'named', synced: true });
  return pipeline;
}

describe('a verdict', () => {
  it('is the one that gateways reach by the same rules', () => {
    let allowed = 0;
    const world = fc.oneof(grantingWorld, grantingWorld.chain(withGarbage));
    const property = fc.property(
      world,
      fc.array(fc.tuple(gateway, claims, request), { minLength: 20, maxLength: 20 }),
      (manifests, questions) => {
        const pipeline = pipelineOf(manifests);
        for (const [key, caller, asked] of questions) {
          if (expectSameVerdict(pipeline, key, caller, asked)) allowed += 1;
        }
      },
    );
    fc.assert(property, { numRuns: 300 });
    // Of 6,000 questions: the property says little when all are denied.
    expect(allowed).toBeGreaterThan(100);
  });

  it.each(worlds.map((world) => ({ ...world })))('is that of gateways when $clause', ({ files }) => {
    const { pipeline } = createFreshWorld(manifestsOf(files));
    const property = fc.property(gateway, claims, request, (key, caller, asked) => {
      expectSameVerdict(pipeline, key, caller, asked);
    });
    fc.assert(property, { numRuns: 50 });
  });

  it('names the rule as it is written, which matches the caller', () => {
    const property = fc.property(grantingWorld, gateway, claims, request, (manifests, key, caller, asked) => {
      const { explainer } = pipelineOf(manifests);
      const verdict = explainer.decide(key, caller, asked);
      if (!verdict.allowed) return;
      const { by } = verdict;
      const policy = manifests
        .map(readManifest)
        .findLast(({ kind, key: other }) => kind === 'MCPAuthPolicy' && other === by.policy);
      const rules =
        policy?.resource?.kind === 'MCPAuthPolicy' && policy.resource.rules.ok ? policy.resource.rules.value : [];
      const rule = rules[by.rule];
      const match = rule?.ok ? rule.value.matches[by.match] : undefined;
      expect(match).toEqual({ ok: true, value: { claim: by.claim, value: by.value } });
      expect(caller[by.claim]).toBe(by.value);
    });
    fc.assert(property, { numRuns: 500 });
  });

  it('comes with findings of a world that nothing makes fail', () => {
    const property = fc.property(anyWorld.chain(withGarbage), (manifests) => {
      const { explainer } = pipelineOf(manifests);
      for (const finding of [...explainer.statusFindings(), ...explainer.hints()])
        expect(finding?.message ?? '.').toMatch(/[.?]$/);
    });
    fc.assert(property, { numRuns: 300 });
  });
});

it('an explanation runs no transformation', () => {
  const [world] = fc.sample(grantingWorld, { seed: 1, numRuns: 1 });
  const { graph, explainer } = pipelineOf(world ?? []);
  const before = graph.dump();
  explainer.decide('a/g', { sub: 'nobody' }, { kind: 'tool', name: 'a/s:run' });
  expect([...explainer.statusFindings(), ...explainer.hints()].length).toBeGreaterThan(0);
  expect(graph.dump()).toEqual(before);
});
