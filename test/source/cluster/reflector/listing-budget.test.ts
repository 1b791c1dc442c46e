import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { KindName } from '../../../../src/resources/model.ts';
import type { Collection } from '../../../../src/source/cluster/api/path.ts';
import { ListingBudget } from '../../../../src/source/cluster/reflector/listing-budget.ts';

const of = (kind: KindName, namespace?: string): Collection => ({ kind, namespace });
const objects = (number: number): { objects: number; bytes: number } => ({ objects: number, bytes: 0 });
const budgetOf = (inSum: number, ofKind: number): ListingBudget => new ListingBudget(objects(inSum), objects(ofKind));

/** Lists so many objects; returns whether they fit. */
function list(budget: ListingBudget, collection: Collection, number: number): boolean {
  const listing = budget.begin(collection);
  const fits = listing.take(objects(number));
  listing.end(fits);
  return fits;
}

describe('what is read of an API server', () => {
  it('is bounded in sum over all kinds', () => {
    const budget = budgetOf(10, 0);
    expect(list(budget, of('Service'), 6)).toBe(true);
    expect(list(budget, of('Namespace'), 5)).toBe(false);
    expect(list(budget, of('Namespace'), 4)).toBe(true);
  });

  it('leaves each kind a part of its own, whatever the others have', () => {
    const budget = budgetOf(10, 3);
    expect(list(budget, of('Service'), 10)).toBe(true);
    expect(list(budget, of('MCPAuthPolicy'), 3)).toBe(true);
    expect(list(budget, of('MCPAuthPolicy'), 4)).toBe(false);
  });

  it('gives a kind one part, however many namespaces it is listed in', () => {
    const budget = budgetOf(10, 3);
    list(budget, of('Namespace'), 10);
    expect(list(budget, of('Service', 'a'), 3)).toBe(true);
    expect(list(budget, of('Service', 'b'), 1)).toBe(false);
  });

  it('counts a list in place of the last one of its collection, and one that fails not at all', () => {
    const budget = budgetOf(10, 0);
    for (const number of [10, 10, 11, 2, 10]) expect(list(budget, of('Service'), number)).toBe(number <= 10);
    expect(list(budget, of('Service'), 1)).toBe(true);
    expect(list(budget, of('Gateway'), 9)).toBe(true);
  });

  it('is counted while it arrives, of two lists at once', () => {
    const budget = budgetOf(10, 0);
    const [one, two] = [budget.begin(of('Service')), budget.begin(of('Gateway'))];
    expect([one.take(objects(6)), two.take(objects(4)), two.take(objects(1))]).toEqual([true, true, false]);
    two.end(false);
    expect(one.take(objects(4))).toBe(true);
  });

  it('includes what watches add and remove', () => {
    const budget = budgetOf(2, 0);
    list(budget, of('Service'), 1);
    expect(budget.grow(of('Service'), objects(1))).toBe(true);
    expect(budget.grow(of('Service'), objects(1))).toBe(false);
    expect(budget.grow(of('Service'), objects(-1))).toBe(true);
    expect(list(budget, of('Gateway'), 1)).toBe(true);
    expect(list(budget, of('Namespace'), 1)).toBe(false);
  });

  it('is never more than the sum and a part for each kind', () => {
    const kinds = ['Service', 'Gateway', 'Namespace'] as const;
    const steps = fc.array(fc.tuple(fc.constantFrom(...kinds), fc.nat(12)));
    fc.assert(
      fc.property(steps, (all) => {
        const budget = budgetOf(10, 3);
        const kept = new Map<string, number>();
        for (const [kind, number] of all) if (list(budget, of(kind), number)) kept.set(kind, number);
        const total = [...kept.values()].reduce((sum, number) => sum + number, 0);
        expect(total).toBeLessThanOrEqual(10 + 3 * kinds.length);
      }),
    );
  });
});

describe('what watches change', () => {
  it('counts the bytes of what watches change, and nothing of what has no room', () => {
    const budget = new ListingBudget({ objects: 9, bytes: 100 }, { objects: 0, bytes: 0 });
    const bytes = (of: number): { objects: number; bytes: number } => ({ objects: 0, bytes: of });
    expect(budget.grow(of('Service'), bytes(60))).toBe(true);
    expect(budget.grow(of('Gateway'), bytes(41))).toBe(false);
    expect(budget.grow(of('Gateway'), bytes(40))).toBe(true);
    expect(budget.grow(of('Service'), bytes(1))).toBe(false);
    expect(budget.grow(of('Service'), bytes(-20))).toBe(true);
    expect(budget.grow(of('Gateway'), bytes(20))).toBe(true);
  });
});
