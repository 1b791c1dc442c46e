import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LabelRequirement, LabelSelector } from '../../../src/resources/model.ts';
import { compileSelector, matches, unmetRequirements } from '../../../src/translate/gateway/namespace-selector.ts';
import { anyLabels, anySelector } from './selectors.ts';

function requiring(...requirements: readonly LabelRequirement[]): LabelSelector {
  return { requirements };
}

describe('a selector', () => {
  it('without requirements selects everything', () => {
    expect(matches(compileSelector(requiring()), new Map())).toBe(true);
  });

  it.each<[LabelRequirement, string | undefined, boolean]>([
    [{ operator: 'In', key: 'a', values: ['x', 'y'] }, 'y', true],
    [{ operator: 'In', key: 'a', values: ['x', 'y'] }, 'z', false],
    [{ operator: 'In', key: 'a', values: ['x'] }, undefined, false],
    [{ operator: 'In', key: 'a', values: [''] }, '', true],
    [{ operator: 'In', key: 'a', values: [''] }, undefined, false],
    [{ operator: 'NotIn', key: 'a', values: ['x'] }, 'x', false],
    [{ operator: 'NotIn', key: 'a', values: ['x'] }, 'z', true],
    [{ operator: 'NotIn', key: 'a', values: ['x'] }, undefined, true],
    [{ operator: 'Exists', key: 'a' }, '', true],
    [{ operator: 'Exists', key: 'a' }, undefined, false],
    [{ operator: 'DoesNotExist', key: 'a' }, '', false],
    [{ operator: 'DoesNotExist', key: 'a' }, undefined, true],
  ])('%j against the label %j: %s', (requirement, label, expected) => {
    const found = new Map(label === undefined ? [] : [['a', label]]);
    expect(matches(compileSelector(requiring(requirement)), found)).toBe(expected);
  });

  it('matches when none of its requirements is unmet, also when several are about one label', () => {
    fc.assert(
      fc.property(anySelector, anyLabels, (selector, labels) => {
        expect(matches(compileSelector(selector), labels)).toBe(unmetRequirements(selector, labels).length === 0);
      }),
    );
  });
});
