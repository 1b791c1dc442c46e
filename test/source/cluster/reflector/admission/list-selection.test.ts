import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ApiObject } from '../../../../../src/source/cluster/api/object.ts';
import {
  type ListedObject,
  ListSelection,
} from '../../../../../src/source/cluster/reflector/admission/list-selection.ts';
import { ListingBudget } from '../../../../../src/source/cluster/reflector/admission/listing-budget.ts';

interface Written {
  readonly name: string;
  readonly bytes: number;
  readonly created?: string;
}

/** What a list comes to: each object with the bytes that are kept of it; without an entry it is left out. */
type Selected = Readonly<Record<string, number>>;

/** Selects from a list with room for so much. @param rest bytes that are kept of an object that is crowded out */
function select(list: readonly Written[], objects: number, bytes: number, rest = 0): Selected {
  const most = { objects, bytes };
  const bounds = { shared: most, mostOfKind: most, ofKind: { objects: 0, bytes: 0 }, received: Number.MAX_VALUE };
  const kept = new Map<string, number>();
  const crowdOut = (object: ListedObject): number => {
    const left = Math.min(rest, object.bytes);
    kept.set(object.key, left);
    return left;
  };
  const selection = new ListSelection(new ListingBudget(bounds).begin({ kind: 'Service', namespace: undefined }), {
    add: (object) => void kept.set(object.key, object.bytes),
    addWithoutRoom: crowdOut,
    crowdOut,
    leaveOut: (key) => void kept.delete(key),
  });
  for (const written of list) selection.add(objectOf(written));
  return Object.fromEntries([...kept].sort(([one], [other]) => (one < other ? -1 : 1)));
}

function objectOf({ name, bytes, created = '' }: Written): ApiObject {
  return { key: name, uid: name, resourceVersion: '1', created, bytes, content: { is: 'json', json: {} } };
}

const sizes = (...all: readonly number[]): readonly Written[] =>
  all.map((bytes, at) => ({ name: String.fromCharCode(97 + at), bytes }));

describe('objects of a list that have too many bytes', () => {
  it('give way from the largest on, until there is room for the others', () => {
    expect(select(sizes(3, 9, 4, 8), 9, 10)).toEqual({ a: 3, b: 0, c: 4, d: 0 });
    expect(select(sizes(3, 4, 3), 9, 10)).toEqual({ a: 3, b: 4, c: 3 });
  });

  it('give way to smaller ones that come later, and are not replaced by larger ones', () => {
    expect(select(sizes(6, 4, 5, 6), 9, 10)).toEqual({ a: 0, b: 4, c: 5, d: 0 });
  });

  it('of the same size give way by age, the younger ones first', () => {
    const twins = [
      { name: 'old', bytes: 6, created: '2026-01-01T00:00:00Z' },
      { name: 'new', bytes: 6, created: '2026-02-01T00:00:00Z' },
    ];
    for (const list of [twins, twins.toReversed()]) expect(select(list, 9, 10)).toEqual({ old: 6, new: 0 });
  });

  it('are left out when even what is kept of them without their content is too much', () => {
    expect(select(sizes(9, 9, 9), 9, 10, 4)).toEqual({ a: 4, b: 4 });
  });
});

describe('objects of a list that are too many', () => {
  const list = [
    { name: 'middle', bytes: 1, created: '2026-02-01T00:00:00Z' },
    { name: 'young', bytes: 1, created: '2026-03-01T00:00:00Z' },
    { name: 'old', bytes: 1, created: '2026-01-01T00:00:00Z' },
  ];

  it('are left out from the youngest on, so that newcomers take nobody’s place', () => {
    expect(select(list, 2, 10)).toEqual({ middle: 1, old: 1 });
    expect(select(list, 1, 10)).toEqual({ old: 1 });
  });
});

it('what a list comes to depends on the objects, and not on their order', () => {
  const object = fc.record({ bytes: fc.integer({ min: 1, max: 9 }), age: fc.nat(4) });
  const world = fc.array(object, { maxLength: 40 }).chain((all) => {
    const named = all.map(({ bytes, age }, at) => ({ name: `o-${at}`, bytes, created: `2026-01-0${age + 1}` }));
    const shuffled = fc.shuffledSubarray(named, { minLength: named.length, maxLength: named.length });
    return fc.tuple(fc.constant(named), shuffled);
  });
  // One of the bounds at a time: with both, what is left out later has crowded others out before.
  const bounds = fc.oneof(
    fc.nat(60).map((bytes) => [1_000, bytes] as const),
    fc.nat(20).map((objects) => [objects, 1_000] as const),
  );
  fc.assert(
    fc.property(world, bounds, ([list, shuffled], [objects, bytes]) => {
      const selected = select(list, objects, bytes);
      expect(select(shuffled, objects, bytes)).toEqual(selected);
      expect(Object.keys(selected).length).toBeLessThanOrEqual(objects);
      const kept = Object.values(selected).reduce((sum, size) => sum + size, 0);
      expect(kept).toBeLessThanOrEqual(bytes);
      // Whatever is kept is no larger than what gives way.
      const largest = Math.max(0, ...Object.values(selected));
      for (const { name, bytes: size } of list) if (selected[name] === 0) expect(size).toBeGreaterThanOrEqual(largest);
    }),
  );
});
