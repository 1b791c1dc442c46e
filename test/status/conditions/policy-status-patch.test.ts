import { describe, expect, it } from 'vitest';
import { ancestorsWithoutRoom, patchPolicyStatus } from '../../../src/status/conditions/policy-status-patch.ts';
import type { PolicyStatus } from '../../../src/translate/model.ts';
import { ancestor, controllerName, foreign, now, nowText, observed, policyOf, stored } from './stored-statuses.ts';

function merged(ancestors: unknown, desired: PolicyStatus | undefined): unknown {
  return patchPolicyStatus(observed({ ancestors, kept: true }), desired, controllerName, now)?.['ancestors'];
}

const fresh = (name: string): Record<string, unknown> => ({
  ...ancestor(name),
  conditions: [{ ...stored('Accepted'), lastTransitionTime: nowText }],
});
const theirs = (name: string): Record<string, unknown> => ({ ...ancestor(name, 'a.example/controller'), extra: 1 });

describe('the grants and the summary of a policy', () => {
  const patch = (status: object, desired: PolicyStatus | undefined): unknown =>
    patchPolicyStatus(observed(status), desired, controllerName, now);
  const { grants, allows } = policyOf('gw');
  const summary = { gateways: 'gw', accepted: 'True', reason: 'Fine', message: 'Accepted is True.' };

  it('are written beside the ancestors, and only when they differ', () => {
    expect(patch({ ancestors: [ancestor('gw')] }, policyOf('gw'))).toEqual({ grants, allows, summary });
    const stored = { grants, allows, summary, ancestors: [ancestor('gw')] };
    expect(patch(stored, policyOf('gw'))).toBeUndefined();
    expect(patch({ ...stored, grants: 7 }, policyOf('gw'))).toEqual({ grants });
    expect(patch({ ...stored, summary: { ...summary, accepted: 'False' } }, policyOf('gw'))).toEqual({ summary });
  });

  it('are the same for two controllers that write to one policy', () => {
    const other = 'a.example/controller';
    const first = patchPolicyStatus(observed({ ancestors: [] }), policyOf('a'), controllerName, now);
    const desired: PolicyStatus = {
      ...policyOf('b'),
      ancestors: policyOf('b').ancestors.map((entry) => ({ ...entry, controllerName: other })),
    };
    const second = patchPolicyStatus(observed(first), desired, other, now);
    const after = { ...first, ...second };
    expect(after).toMatchObject({ summary: { gateways: 'a, b', accepted: 'True' } });
    expect(patchPolicyStatus(observed(after), policyOf('a'), controllerName, now)).toBeUndefined();
    expect(patchPolicyStatus(observed(after), desired, other, now)).toBeUndefined();
  });

  it('are removed with the last own ancestor, and those of other controllers are left alone', () => {
    const stored = { grants, allows, summary };
    expect(patch({ ...stored, ancestors: [ancestor('gw')] }, undefined)).toEqual({
      grants: null,
      allows: null,
      summary: null,
      ancestors: [],
    });
    expect(patch({ ...stored, ancestors: [theirs('gw')] }, undefined)).toBeUndefined();
  });
});

describe('the ancestors of a policy', () => {
  it('are written with references, controller and conditions', () => {
    expect(merged(undefined, policyOf('gw'))).toEqual([
      { ...ancestor('gw'), conditions: [{ ...stored('Accepted'), lastTransitionTime: nowText }] },
    ]);
  });

  it('are not written when they are up to date', () => {
    expect(merged([theirs('gw'), ancestor('gw')], policyOf('gw'))).toBeUndefined();
  });

  it('of other controllers stay unchanged and in place', () => {
    const list = [theirs('x'), ancestor('gone'), theirs('gw'), ancestor('gw'), theirs('y')];
    expect(merged(list, policyOf('gw', 'new', 'newer'))).toEqual([
      theirs('x'),
      ancestor('gw'),
      theirs('gw'),
      fresh('new'),
      theirs('y'),
      fresh('newer'),
    ]);
  });

  it('of this controller are in the order of the references, also after changes', () => {
    expect(merged([ancestor('b')], policyOf('a', 'b'))).toEqual([fresh('a'), ancestor('b')]);
    const list = [ancestor('b'), theirs('x'), ancestor('a')];
    expect(merged(list, policyOf('a', 'b'))).toEqual([ancestor('a'), theirs('x'), ancestor('b')]);
    expect(merged(list, policyOf('b'))).toEqual([ancestor('b'), theirs('x')]);
  });

  it('of this controller are all removed when none is desired', () => {
    expect(merged([theirs('x'), ancestor('gw')], undefined)).toEqual([theirs('x')]);
    expect(merged([ancestor('gw')], undefined)).toEqual([]);
  });

  it('of a policy without own or desired entries are not written', () => {
    expect(merged([theirs('x')], undefined)).toBeUndefined();
    expect(patchPolicyStatus(observed(undefined), undefined, controllerName, now)).toBeUndefined();
  });

  it('are identified by the whole reference, with the defaults of the API', () => {
    const short = { ...ancestor('gw'), ancestorRef: { name: 'gw' } };
    expect(merged([short], policyOf('gw'))).toBeUndefined();
    const section = { ...ancestor('gw'), ancestorRef: { name: 'gw', sectionName: 'mcp' } };
    expect(merged([section], policyOf('gw'))).toMatchObject([{ ancestorRef: { name: 'gw' } }]);
    const port = { ...ancestor('gw'), ancestorRef: { name: 'gw', port: 80 } };
    expect(merged([port, ancestor('gw')], policyOf('gw'))).toEqual([ancestor('gw')]);
  });

  it('are unique, also when they are stored twice', () => {
    expect(merged([ancestor('gw'), ancestor('gw')], policyOf('gw'))).toEqual([ancestor('gw')]);
  });

  it("keep other controllers' conditions in own entries, and lose conditions that are not desired", () => {
    const conditions = [stored('Accepted'), foreign('a.example/X'), stored('kgateway.dev/PartiallyInvalid')];
    const after = { ...ancestor('gw'), conditions: [stored('Accepted'), foreign('a.example/X')] };
    expect(merged([{ ...ancestor('gw'), conditions }], policyOf('gw'))).toEqual([after]);
  });

  it('are not written while own entries describe a newer generation', () => {
    const conditions = [{ ...stored('Accepted', 'False'), observedGeneration: 4 }];
    expect(merged([{ ...ancestor('gw'), conditions }], policyOf('gw'))).toBeUndefined();
    expect(merged([{ ...ancestor('gw'), conditions }], undefined)).toBeUndefined();
    expect(merged([{ ...theirs('gw'), conditions }], policyOf('gw'))).toHaveLength(2);
  });

  it.each([null, 'ancestors', 3, {}, [null, 'x', 7, []]])('replace a malformed list: %j', (list) => {
    expect(merged(list, policyOf('gw'))).toHaveLength(1);
  });

  it.each([undefined, null, 'status', 7, []])('replace a malformed status: %j', (status) => {
    expect(patchPolicyStatus(observed(status), policyOf('gw'), controllerName, now)?.['ancestors']).toHaveLength(1);
  });
});

describe('a list of at most sixteen ancestors', () => {
  const others = (count: number): readonly Record<string, unknown>[] =>
    Array.from({ length: count }, (_, at) => theirs(`x${at}`));

  it('keeps the first own ancestors that fit beside those of other controllers', () => {
    expect(merged(others(14), policyOf('a', 'b', 'c'))).toMatchObject([
      ...others(14),
      { ancestorRef: { name: 'a' } },
      { ancestorRef: { name: 'b' } },
    ]);
  });

  it('gives the place of a later own ancestor to an earlier one', () => {
    expect(merged([...others(15), ancestor('c')], policyOf('a', 'c'))).toMatchObject([
      ...others(15),
      { ancestorRef: { name: 'a' } },
    ]);
  });

  it.each([
    { count: 14, without: ['c'] },
    { count: 16, without: ['a', 'b', 'c'] },
    { count: 17, without: ['a', 'b', 'c'] },
    { count: 0, without: [] },
  ])('with $count of other controllers has no room for $without', ({ count, without }) => {
    const crowded = ancestorsWithoutRoom(
      observed({ ancestors: others(count) }),
      policyOf('a', 'b', 'c'),
      controllerName,
    );
    expect(crowded.map(({ ancestorRef }) => ancestorRef.name)).toEqual(without);
  });

  it('is not written when other controllers fill it', () => {
    expect(merged(others(16), policyOf('a'))).toBeUndefined();
  });
});
