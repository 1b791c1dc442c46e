import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { KindName } from '../../../../../src/resources/model.ts';
import type { Collection } from '../../../../../src/source/cluster/api/path.ts';
import {
  ListingBudget,
  type ListingSize,
} from '../../../../../src/source/cluster/reflector/admission/listing-budget.ts';

const of = (kind: KindName, namespace?: string): Collection => ({ kind, namespace });
const objects = (number: number): ListingSize => ({ objects: number, bytes: 0 });
const bytes = (number: number): ListingSize => ({ objects: 0, bytes: number });
const budgetOf = (shared: number, ofKind: number): ListingBudget =>
  new ListingBudget({ shared: objects(shared), mostOfKind: objects(100), ofKind: objects(ofKind), received: 1_000 });

/** Lists so many objects, and stores them if they have room; returns whether they have. */
function list(budget: ListingBudget, collection: Collection, number: number): boolean {
  const listing = budget.begin(collection);
  const fits = listing.keep(objects(number)) === 'enough';
  listing.end();
  if (fits) budget.stored(collection, objects(number));
  return fits;
}

describe('what is kept of an API server', () => {
  it('is bounded in sum over all kinds', () => {
    const budget = budgetOf(10, 0);
    expect(list(budget, of('Service'), 6)).toBe(true);
    expect(list(budget, of('Namespace'), 5)).toBe(false);
    expect(list(budget, of('Namespace'), 4)).toBe(true);
  });

  it('leaves each kind a part of its own, whatever the others have', () => {
    const budget = budgetOf(10, 3);
    expect(list(budget, of('Service'), 13)).toBe(true);
    expect(list(budget, of('MCPAuthPolicy'), 3)).toBe(true);
    expect(list(budget, of('MCPAuthPolicy'), 4)).toBe(false);
  });

  it('is for one kind beyond its part the same, whatever others have within theirs', () => {
    for (const others of [0, 3]) {
      const budget = budgetOf(10, 3);
      expect(list(budget, of('Namespace'), others)).toBe(true);
      expect(list(budget, of('Service'), 14)).toBe(false);
      expect(list(budget, of('Service'), 13)).toBe(true);
    }
  });

  it('is for one kind no more than its most, so that there is room for another that is listed later', () => {
    const bounds = { shared: objects(10), mostOfKind: objects(5), ofKind: objects(0), received: 1_000 };
    for (const kinds of [['Service', 'Namespace'] as const, ['Namespace', 'Service'] as const]) {
      const budget = new ListingBudget(bounds);
      for (const kind of kinds) expect([list(budget, of(kind), 6), list(budget, of(kind), 5)]).toEqual([false, true]);
    }
  });

  it('leaves each namespace that a kind is listed in an equal part of that, and the kind no more in sum', () => {
    const budget = budgetOf(10, 4);
    budget.divide([of('Service', 'a'), of('Service', 'b'), of('Namespace')]);
    expect(list(budget, of('Service', 'a'), 13)).toBe(false);
    expect(list(budget, of('Service', 'a'), 12)).toBe(true);
    expect(list(budget, of('Namespace'), 5)).toBe(false);
    expect(list(budget, of('Service', 'b'), 3)).toBe(false);
    expect(list(budget, of('Service', 'b'), 2)).toBe(true);
    expect(list(budget, of('Namespace'), 4)).toBe(true);
  });

  it('is for one kind no more than its most, also in several namespaces', () => {
    const bounds = { shared: objects(100), mostOfKind: objects(10), ofKind: objects(4), received: 1_000 };
    const budget = new ListingBudget(bounds);
    budget.divide([of('Service', 'a'), of('Service', 'b')]);
    expect([list(budget, of('Service', 'a'), 9), list(budget, of('Service', 'a'), 8)]).toEqual([false, true]);
    expect([list(budget, of('Service', 'b'), 3), list(budget, of('Service', 'b'), 2)]).toEqual([false, true]);
  });
});

describe('a list', () => {
  it('counts in place of what is stored of its collection, and one that fails not at all', () => {
    const budget = budgetOf(10, 0);
    for (const number of [10, 10, 11, 2, 10]) expect(list(budget, of('Service'), number)).toBe(number <= 10);
    expect(list(budget, of('Service'), 1)).toBe(true);
    expect(list(budget, of('Gateway'), 9)).toBe(true);
  });

  it('counts while it arrives, also beside another one', () => {
    const budget = budgetOf(10, 0);
    const [one, two] = [budget.begin(of('Service')), budget.begin(of('Gateway'))];
    expect([one.keep(objects(6)), two.keep(objects(4)), two.keep(objects(5))]).toEqual([
      'enough',
      'enough',
      'too-many',
    ]);
    two.end();
    expect(one.keep(objects(10))).toBe('enough');
  });

  it('is judged by what there will be, also when more than there is room for is stored', () => {
    const budget = budgetOf(10, 0);
    budget.stored(of('Service'), objects(12));
    expect(list(budget, of('Service'), 10)).toBe(true);
  });

  it('leaves room for what does not grow, however much there is', () => {
    const budget = budgetOf(1, 0);
    budget.stored(of('Service'), { objects: 9, bytes: 900 });
    const before = { objects: 9, bytes: 900 };
    expect(budget.roomFor(of('Service'), { objects: 9, bytes: 899 }, before)).toBe('enough');
    expect(budget.roomFor(of('Service'), { objects: 10, bytes: 900 }, before)).toBe('too-many');
  });

  it('is ended when it is longer than any that is read', () => {
    const listing = budgetOf(10, 0).begin(of('Service'));
    expect([listing.receive(600), listing.receive(400), listing.receive(1)]).toEqual([true, true, false]);
  });

  it('is never more than the sum and a part for each kind', () => {
    const kinds = ['Service', 'Gateway', 'Namespace'] as const;
    const steps = fc.array(fc.tuple(fc.constantFrom(...kinds), fc.nat(14)));
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
  const budgetOfBytes = (): ListingBudget =>
    new ListingBudget({
      shared: { objects: 9, bytes: 100 },
      mostOfKind: { objects: 9, bytes: 100 },
      ofKind: objects(0),
      received: 1_000,
    });

  it('has room as far as the bytes of all kinds leave some', () => {
    const budget = budgetOfBytes();
    budget.stored(of('Service'), bytes(60));
    expect(budget.roomFor(of('Service', 'b'), bytes(41), bytes(0))).toBe('too-large');
    expect(budget.roomFor(of('Service', 'b'), bytes(40), bytes(0))).toBe('enough');
    budget.stored(of('Service', 'b'), bytes(40));
    expect(budget.roomFor(of('Service'), bytes(61), bytes(60))).toBe('too-large');
    budget.stored(of('Service'), bytes(40));
    expect(budget.roomFor(of('Service', 'b'), bytes(60), bytes(40))).toBe('enough');
  });

  it('counts a byte of a policy four times, since so much memory is kept of it', () => {
    const budget = budgetOfBytes();
    expect(budget.roomFor(of('MCPAuthPolicy'), { objects: 1, bytes: 26 }, bytes(0))).toBe('too-large');
    expect(budget.roomFor(of('MCPAuthPolicy'), { objects: 1, bytes: 25 }, bytes(0))).toBe('enough');
    budget.stored(of('MCPAuthPolicy'), bytes(25));
    expect(budget.begin(of('Gateway')).keep({ objects: 1, bytes: 1 })).toBe('too-large');
  });
});
