import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decide, indexRules } from '../../src/authz/authz.ts';
import { gainedAccess } from '../../src/explain/explain.ts';
import type { AccessChange, AccessRequest, Claims } from '../../src/explain/model.ts';
import type { Manifest } from '../support/worlds/translated-world.ts';
import { anyWorld } from '../support/worlds/worlds.ts';
import { claims, configsOf, gateway, granting, pipelineOf, request, targetsOf } from './verdict-rig.ts';

type Pipeline = ReturnType<typeof pipelineOf>;

/** Whether calls succeed: gateways decide by the rules, and know no target that they are not served. */
type Access = (caller: Claims, asked: AccessRequest) => { readonly allowed: boolean; readonly served: boolean };

function accessOf(pipeline: Pipeline, key: string): Access {
  const rules = indexRules(configsOf(pipeline, key));
  const targets = targetsOf(pipeline, key);
  return (caller, asked) => ({
    allowed: decide(rules, caller, asked).allowed,
    served: targets.has(asked.name.slice(0, asked.name.indexOf(':'))),
  });
}

/** Returns whether a change says that this caller gains this. */
function tells(change: AccessChange, key: string, caller: Claims, asked: AccessRequest): boolean {
  const { claim, value, kind, name, targets } = change;
  if (change.gateway !== key || kind !== asked.kind || !Object.hasOwn(caller, claim) || caller[claim] !== value)
    return false;
  const target = asked.name.slice(0, asked.name.indexOf(':'));
  return name === '*' ? (targets?.includes(target) ?? true) : name === asked.name;
}

/** A call that a change is about. */
function witness({
  gateway,
  claim,
  value,
  kind,
  name,
  targets,
}: AccessChange): readonly [string, Claims, AccessRequest] {
  const target = targets?.[0] ?? 'anything/at-all';
  const claims = JSON.parse(`{${JSON.stringify(claim)}:${JSON.stringify(value)}}`) as Claims;
  return [gateway, claims, { kind, name: name === '*' ? `${target}:which-no-rule-names` : name }];
}

/** A Gateway that serves a target, which a generated world may replace. */
const serving: readonly Manifest[] = [
  {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'GatewayClass',
    metadata: { name: 'served' },
    spec: { controllerName: 'kgateway.dev/kgateway' },
  },
  {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'Gateway',
    metadata: { namespace: 'a', name: 'g' },
    spec: {
      gatewayClassName: 'served',
      listeners: [{ name: 'l', port: 1, protocol: 'kgateway.dev/mcp', allowedRoutes: { namespaces: { from: 'All' } } }],
    },
  },
  {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { namespace: 'a', name: 's' },
    spec: { clusterIP: '10.0.0.1', ports: [{ port: 80, appProtocol: 'kgateway.dev/mcp' }] },
  },
];
const world = fc
  .tuple(anyWorld, granting, fc.subarray([...serving]), fc.boolean())
  .map(([manifests, policy, some, served]): readonly Manifest[] =>
    served ? [...serving, policy] : [...some, ...manifests, policy],
  );
/** Two worlds with much in common, as before and after a change. */
const mixed: fc.Arbitrary<readonly [readonly Manifest[], readonly Manifest[]]> = fc
  .tuple(world, world, fc.array(fc.boolean(), { maxLength: 30 }))
  .map(([before, other, kept]) => [
    before,
    [...before.filter((_, at) => kept[at] ?? true), ...other.filter((_, at) => kept[at] === false)],
  ]);
/** Of the two worlds only a policy differs. */
const otherPolicy: typeof mixed = fc
  .tuple(world, granting)
  .map(([before, policy]) => [before, [...before.slice(0, -1), policy]]);
const change = fc.oneof(mixed, otherPolicy);

/** Callers and calls that the rules of the worlds are about, and any others. */
const questions = fc
  .array(fc.tuple(claims, request), { minLength: 5, maxLength: 5 })
  .map((any): readonly (readonly [Claims, AccessRequest])[] => [...usual, ...any]);
const usual = [{ sub: 'me' }, { sub: 'you' }, { email: 'me' }, { email: 'you' }].flatMap((caller) =>
  (['tool', 'prompt', 'resource'] as const).flatMap((kind) =>
    ['a/s:run', 'a/s/81:run', 'b/s:x', 'b/t:any'].map((name) => [caller, { kind, name }] as const),
  ),
);

describe('the access that a change gives', () => {
  it('has everything that gateways allow after it and not before', () => {
    let widened = 0;
    const property = fc.property(change, gateway, questions, ([manifests, changed], key, asked) => {
      const [before, after] = [pipelineOf(manifests), pipelineOf(changed)];
      const gained = [...gainedAccess(before.explainer, after.explainer)];
      const [oldAccess, newAccess] = [accessOf(before, key), accessOf(after, key)];
      for (const question of asked) {
        const [old, now] = [oldAccess(...question), newAccess(...question)];
        const widens = (now.allowed && !old.allowed) || (now.allowed && now.served && !old.served);
        if (!widens) continue;
        widened += 1;
        expect(gained.some((one) => tells(one, key, ...question))).toBe(true);
      }
    });
    fc.assert(property, { numRuns: 400 });
    // Of about 20,000 questions: the property says little when nothing widens.
    expect(widened).toBeGreaterThan(200);
  });

  it('has nothing that gateways allowed before', () => {
    let told = 0;
    const property = fc.property(change, ([manifests, changed]) => {
      const [before, after] = [pipelineOf(manifests), pipelineOf(changed)];
      for (const one of gainedAccess(before.explainer, after.explainer)) {
        told += 1;
        const [key, ...question] = witness(one);
        const [old, now] = [accessOf(before, key)(...question), accessOf(after, key)(...question)];
        expect(now.allowed).toBe(true);
        expect(old.allowed && (old.served || one.targets === undefined)).toBe(false);
      }
    });
    fc.assert(property, { numRuns: 400 });
    expect(told).toBeGreaterThan(200);
  });

  it('is none without a change', () => {
    const property = fc.property(world, (manifests) => {
      const { explainer } = pipelineOf(manifests);
      expect([...gainedAccess(explainer, pipelineOf(manifests).explainer)]).toEqual([]);
    });
    fc.assert(property, { numRuns: 200 });
  });
});
