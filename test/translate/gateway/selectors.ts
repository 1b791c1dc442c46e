import fc from 'fast-check';
import type { LabelRequirement, LabelSelector } from '../../../src/resources/model.ts';

const key = fc.constantFrom('a', 'b', 'constructor');
const value = fc.constantFrom('', 'x', 'y', 'a=x');
const values = fc
  .tuple(value, fc.uniqueArray(value, { maxLength: 2 }))
  .map(([first, others]): [string, ...string[]] => [first, ...others.filter((other) => other !== first)]);
const requirement: fc.Arbitrary<LabelRequirement> = fc.oneof(
  fc.record({ operator: fc.constantFrom('In' as const, 'NotIn' as const), key, values }),
  fc.record({ operator: fc.constantFrom('Exists' as const, 'DoesNotExist' as const), key }),
);

/** Selectors of few labels and values, so that they meet those of {@link anyLabels}. */
export const anySelector: fc.Arbitrary<LabelSelector> = fc.record({
  requirements: fc.array(requirement, { maxLength: 3 }),
});

/** The labels of a namespace. */
export const anyLabels: fc.Arbitrary<ReadonlyMap<string, string>> = fc
  .uniqueArray(fc.tuple(key, value), { selector: ([name]) => name })
  .map((pairs) => new Map(pairs));
