import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createGraph } from '../../../src/graph/graph.ts';
import type { LabelRequirement, LabelSelector } from '../../../src/resources/model.ts';
import {
  type LabelledNamespace,
  labelIndexValues,
  matches,
  selectNamespaces,
  selectorFromKey,
  selectorKey,
} from '../../../src/translate/gateway/namespace-selector.ts';

const key = fc.constantFrom('a', 'b', 'constructor');
const value = fc.constantFrom('', 'x', 'y', 'a=x');
const values = fc
  .tuple(value, fc.uniqueArray(value, { maxLength: 2 }))
  .map(([first, others]): [string, ...string[]] => [first, ...others.filter((other) => other !== first)]);
const requirement: fc.Arbitrary<LabelRequirement> = fc.oneof(
  fc.record({ operator: fc.constantFrom('In' as const, 'NotIn' as const), key, values }),
  fc.record({ operator: fc.constantFrom('Exists' as const, 'DoesNotExist' as const), key }),
);
const selector: fc.Arbitrary<LabelSelector> = fc.record({ requirements: fc.array(requirement, { maxLength: 3 }) });
const labels = fc.uniqueArray(fc.tuple(key, value), { selector: ([name]) => name }).map((pairs) => new Map(pairs));

function requiring(...requirements: readonly LabelRequirement[]): LabelSelector {
  return { requirements };
}

describe('a selector', () => {
  it('without requirements selects everything', () => {
    expect(matches(requiring(), new Map())).toBe(true);
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
    expect(matches(requiring(requirement), found)).toBe(expected);
  });

  it('is parsed from its key', () => {
    fc.assert(
      fc.property(selector, (any) => {
        expect(selectorFromKey(selectorKey(any))).toEqual(any);
      }),
    );
  });

  it('selects the same namespaces through the index as one by one', () => {
    fc.assert(
      fc.property(selector, fc.array(labels, { maxLength: 6 }), (any, labelled) => {
        const all = labelled.map((each, at): LabelledNamespace => ({ name: `ns-${at}`, labels: each }));
        const expected = all.filter((each) => matches(any, each.labels)).map(({ name }) => name);
        expect(selectIn(all, any)).toEqual(expected);
      }),
    );
  });
});

function selectIn(all: readonly LabelledNamespace[], any: LabelSelector): readonly string[] | undefined {
  const graph = createGraph({ check: true });
  const namespaces = graph.source<LabelledNamespace>({ name: 'namespaces' });
  const selectors = graph.source<LabelSelector>({ name: 'selectors' });
  const byLabel = graph.index(namespaces, labelIndexValues, { name: 'by-label' });
  const selected = graph.derive(
    selectors,
    (each, context) => selectNamespaces(each, context, { namespaces, byLabel }),
    {
      name: 'selected',
    },
  );
  graph.commit(() => {
    selectors.set('', any);
    for (const each of all) namespaces.set(each.name, each);
  });
  return selected.get('');
}
