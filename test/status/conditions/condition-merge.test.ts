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

describe('merging conditions', () => {
  it('writes a new one with the time in whole seconds', () => {
    expect(mergeConditions(undefined, [desired('Accepted')], rules, now)).toEqual([
      { ...stored('Accepted'), lastTransitionTime: nowText },
    ]);
  });

  it('keeps the time as long as the status is the same, whatever else changes', () => {
    const old = { ...stored('Accepted', 'True', 'Older'), message: 'other words', observedGeneration: 2 };
    expect(mergeConditions([old], [desired('Accepted')], rules, now)).toEqual([stored('Accepted')]);
  });

  it('sets the time when the status changes', () => {
    const [merged] = mergeConditions([stored('Accepted', 'False')], [desired('Accepted')], rules, now);
    expect(merged).toEqual({ ...stored('Accepted'), lastTransitionTime: nowText });
  });

  it.each([null, 12, 'yesterday', undefined])('sets a time that is no time: %j', (lastTransitionTime) => {
    const [merged] = mergeConditions(
      [{ ...stored('Accepted'), lastTransitionTime }],
      [desired('Accepted')],
      rules,
      now,
    );
    expect(merged).toEqual({ ...stored('Accepted'), lastTransitionTime: nowText });
  });

  it('leaves others where they are and as they are', () => {
    const list = [foreign('a.example/X'), stored('Programmed', 'False'), foreign('b.example/Y'), stored('Accepted')];
    const merged = mergeConditions(list, [desired('Accepted'), desired('Programmed')], rules, now);
    expect(typesOf(merged)).toEqual(['a.example/X', 'Programmed', 'b.example/Y', 'Accepted']);
    expect(merged[0]).toBe(list[0]);
    expect(merged[2]).toBe(list[2]);
  });

  it('removes ours that are no longer desired, and adds new ones at the end', () => {
    const list = [stored('Optional'), foreign('a.example/X')];
    const merged = mergeConditions(list, [desired('Accepted'), desired('Programmed')], rules, now);
    expect(typesOf(merged)).toEqual(['a.example/X', 'Accepted', 'Programmed']);
  });

  it('never has two of one type', () => {
    const list = [stored('Accepted'), foreign('a.example/X'), stored('Accepted', 'False'), foreign('a.example/X')];
    expect(typesOf(mergeConditions(list, [desired('Accepted')], rules, now))).toEqual(['Accepted', 'a.example/X']);
  });

  it.each([null, 'conditions', 7, { type: 'Accepted' }, [null, 3, 'x', [], {}, { type: 4 }]])(
    'takes what is no list of conditions for an empty one: %j',
    (list) => {
      expect(typesOf(mergeConditions(list, [desired('Accepted')], rules, now))).toEqual(['Accepted']);
    },
  );

  it('stores a message that comes back as it was sent', () => {
    const [merged] = mergeConditions([], [{ ...desired('Accepted'), message: 'a lone \uD83D' }], rules, now);
    expect(merged?.['message']).toBe('a lone \uFFFD');
  });

  it('writes no generation for an object without one', () => {
    const { observedGeneration: _, ...condition } = desired('Accepted');
    expect(mergeConditions([], [condition], rules, now)[0]).not.toHaveProperty('observedGeneration');
  });
});

describe('a list of eight conditions', () => {
  const others = (count: number): readonly unknown[] =>
    Array.from({ length: count }, (_, at) => foreign(`x.example/${at}`));
  const all = ['Accepted', 'Programmed', 'Optional', 'LessOptional'].map((type) => desired(type));

  it.each([
    { count: 4, kept: ['Accepted', 'Programmed', 'Optional', 'LessOptional'] },
    { count: 5, kept: ['Accepted', 'Programmed', 'LessOptional'] },
    { count: 6, kept: ['Accepted', 'Programmed'] },
    { count: 7, kept: ['Accepted'] },
    { count: 8, kept: [] },
  ])('with $count of others has room for $kept', ({ count, kept }) => {
    const merged = mergeConditions(others(count), all, rules, now);
    expect(merged.slice(0, count)).toEqual(others(count));
    expect(typesOf(merged.slice(count))).toEqual(kept);
  });
});

describe('a condition of a newer generation', () => {
  it.each([
    { of: 'ours', list: [{ ...stored('Accepted'), observedGeneration: 4 }], ahead: true },
    { of: 'ours, of the same generation', list: [stored('Accepted')], ahead: false },
    { of: "somebody else's", list: [{ ...foreign('a.example/X'), observedGeneration: 4 }], ahead: false },
    { of: 'ours, malformed', list: [{ ...stored('Accepted'), observedGeneration: '4' }], ahead: false },
    { of: 'nobody', list: null, ahead: false },
  ])('counts when it is $of: $ahead', ({ list, ahead }) => {
    expect(isAhead(list, rules, 3)).toBe(ahead);
  });

  it('means nothing for an object without a generation', () => {
    expect(isAhead([{ ...stored('Accepted'), lastTransitionTime: before }], rules, undefined)).toBe(false);
  });
});
