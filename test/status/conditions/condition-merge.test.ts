import { describe, expect, it } from 'vitest';
import { type ConditionRules, isAhead, mergeConditions } from '../../../src/status/conditions/condition-merge.ts';
import { before, desired, foreign, now, nowText, stored } from './stored-statuses.ts';

const rules: ConditionRules = {
  owned: new Set(['Accepted', 'Programmed', 'Optional', 'LessOptional']),
  omitFirst: ['Optional', 'LessOptional'],
};

function typesOf(conditions: readonly { readonly [field: string]: unknown }[]): readonly unknown[] {
  return conditions.map(({ type }) => type);
}

describe('mergeConditions', () => {
  it('appends a new condition with its time in whole seconds', () => {
    expect(mergeConditions(undefined, [desired('Accepted')], rules, now)).toEqual([
      { ...stored('Accepted'), lastTransitionTime: nowText },
    ]);
  });

  it('keeps lastTransitionTime while the status is the same, also when other fields change', () => {
    const old = { ...stored('Accepted', 'True', 'Older'), message: 'other words', observedGeneration: 2 };
    expect(mergeConditions([old], [desired('Accepted')], rules, now)).toEqual([stored('Accepted')]);
  });

  it('sets lastTransitionTime when the status changes', () => {
    const [merged] = mergeConditions([stored('Accepted', 'False')], [desired('Accepted')], rules, now);
    expect(merged).toEqual({ ...stored('Accepted'), lastTransitionTime: nowText });
  });

  it.each([null, 12, 'yesterday', undefined])(
    'replaces a lastTransitionTime that is no time: %j',
    (lastTransitionTime) => {
      const [merged] = mergeConditions(
        [{ ...stored('Accepted'), lastTransitionTime }],
        [desired('Accepted')],
        rules,
        now,
      );
      expect(merged).toEqual({ ...stored('Accepted'), lastTransitionTime: nowText });
    },
  );

  it('keeps conditions of other controllers unchanged and in place', () => {
    const list = [foreign('a.example/X'), stored('Programmed', 'False'), foreign('b.example/Y'), stored('Accepted')];
    const merged = mergeConditions(list, [desired('Accepted'), desired('Programmed')], rules, now);
    expect(typesOf(merged)).toEqual(['a.example/X', 'Programmed', 'b.example/Y', 'Accepted']);
    expect(merged[0]).toBe(list[0]);
    expect(merged[2]).toBe(list[2]);
  });

  it('removes owned conditions that are not desired, and appends new ones', () => {
    const list = [stored('Optional'), foreign('a.example/X')];
    const merged = mergeConditions(list, [desired('Accepted'), desired('Programmed')], rules, now);
    expect(typesOf(merged)).toEqual(['a.example/X', 'Accepted', 'Programmed']);
  });

  it('has each type once', () => {
    const list = [stored('Accepted'), foreign('a.example/X'), stored('Accepted', 'False'), foreign('a.example/X')];
    expect(typesOf(mergeConditions(list, [desired('Accepted')], rules, now))).toEqual(['Accepted', 'a.example/X']);
  });

  it.each([null, 'conditions', 7, { type: 'Accepted' }, [null, 3, 'x', [], {}, { type: 4 }]])(
    'treats a malformed list as empty: %j',
    (list) => {
      expect(typesOf(mergeConditions(list, [desired('Accepted')], rules, now))).toEqual(['Accepted']);
    },
  );

  it('makes messages well-formed, so that they are stored as they were sent', () => {
    const [merged] = mergeConditions([], [{ ...desired('Accepted'), message: 'a lone \uD83D' }], rules, now);
    expect(merged?.['message']).toBe('a lone \uFFFD');
  });

  it('writes no observedGeneration for an object without a generation', () => {
    const { observedGeneration: _, ...condition } = desired('Accepted');
    expect(mergeConditions([], [condition], rules, now)[0]).not.toHaveProperty('observedGeneration');
  });
});

describe('a list of at most eight conditions', () => {
  const others = (count: number): readonly unknown[] =>
    Array.from({ length: count }, (_, at) => foreign(`x.example/${at}`));
  const all = ['Accepted', 'Programmed', 'Optional', 'LessOptional'].map((type) => desired(type));

  it.each([
    { count: 4, kept: ['Accepted', 'Programmed', 'Optional', 'LessOptional'] },
    { count: 5, kept: ['Accepted', 'Programmed', 'LessOptional'] },
    { count: 6, kept: ['Accepted', 'Programmed'] },
    { count: 7, kept: ['Accepted'] },
    { count: 8, kept: [] },
  ])('with $count of other controllers keeps $kept', ({ count, kept }) => {
    const merged = mergeConditions(others(count), all, rules, now);
    expect(merged.slice(0, count)).toEqual(others(count));
    expect(typesOf(merged.slice(count))).toEqual(kept);
  });
});

describe('isAhead', () => {
  it.each([
    { of: 'ours', list: [{ ...stored('Accepted'), observedGeneration: 4 }], ahead: true },
    { of: 'ours, of the same generation', list: [stored('Accepted')], ahead: false },
    { of: "somebody else's", list: [{ ...foreign('a.example/X'), observedGeneration: 4 }], ahead: false },
    { of: 'ours, malformed', list: [{ ...stored('Accepted'), observedGeneration: '4' }], ahead: false },
    { of: 'nobody', list: null, ahead: false },
  ])('is $ahead for a newer condition of $of', ({ list, ahead }) => {
    expect(isAhead(list, rules, 3)).toBe(ahead);
  });

  it('is false for an object without a generation', () => {
    expect(isAhead([{ ...stored('Accepted'), lastTransitionTime: before }], rules, undefined)).toBe(false);
  });
});
