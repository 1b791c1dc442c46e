import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Pipeline } from '../../src/app/pipeline.ts';
import { decide, indexRules } from '../../src/authz/authz.ts';
import { manifestsOf } from '../features/worlds/world.ts';
import { worlds } from '../features/worlds/worlds.ts';
import { createFreshWorld } from '../support/worlds/fresh-world.ts';
import { withGarbage } from '../support/worlds/garbage.ts';
import { type Manifest, readManifest } from '../support/worlds/translated-world.ts';
import { anyWorld } from '../support/worlds/worlds.ts';
import { claims, configsOf, gateway, granting, pipelineOf, request } from './verdict-rig.ts';

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
    // Of 6,000 questions about 120 are allowed, by chance of the worlds: the property says little when nearly all are denied.
    expect(allowed).toBeGreaterThan(30);
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
