import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ApiObject } from '../../../../../src/source/cluster/api/object.ts';
import { ListSelection } from '../../../../../src/source/cluster/reflector/admission/list-selection.ts';
import { ListingBudget } from '../../../../../src/source/cluster/reflector/admission/listing-budget.ts';
import type { ListedObject } from '../../../../../src/source/cluster/reflector/admission/namespace-share.ts';
import { admitted, type Written } from './admitted.ts';

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
  if (selection.isIncomplete) for (const written of list) selection.addAgain(objectOf(written));
  expect(selection.isIncomplete).toBe(false);
  return Object.fromEntries([...kept].sort(([one], [other]) => (one < other ? -1 : 1)));
}

function objectOf({ name, bytes, created = '' }: Written): ApiObject {
  return { key: name, uid: name, resourceVersion: '1', created, bytes, content: { is: 'json', json: {} } };
}

const sizes = (...all: readonly number[]): readonly Written[] =>
  all.map((bytes, at) => ({ name: String.fromCharCode(97 + at), bytes }));

describe('objects of a namespace that have too many bytes', () => {
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

describe('namespaces with too much', () => {
  const flood = Array.from({ length: 60 }, (_, at) => ({ name: `flood/${10 + at}`, bytes: 1, created: '2025' }));

  it('of bytes give way from the one that holds most on, however small its objects are', () => {
    const selected = select([...flood, { name: 'honest/large', bytes: 40, created: '2026' }], 999, 80);
    expect(selected).toMatchObject({ 'honest/large': 40, 'flood/49': 1, 'flood/50': 0 });
  });

  it('of objects give way from the one that has most on, however old its objects are', () => {
    const selected = select([...flood, { name: 'honest/young', bytes: 1, created: '2026' }], 50, 999);
    expect(Object.keys(selected)).toHaveLength(50);
    expect(selected).toMatchObject({ 'honest/young': 1, 'flood/58': 1 });
  });

  it('of claims give way before the content of others', () => {
    const claims = flood.map((object) => ({ ...object, bytes: 5 }));
    const selected = select([...claims, { name: 'honest/policy', bytes: 40, created: '2026' }], 999, 100, 2);
    expect(selected['honest/policy']).toBe(40);
    expect(Object.keys(selected)).toHaveLength(31);
  });

  it('get back what they gave up before it was known that another one holds more', () => {
    const list = [
      { name: 'a/7', bytes: 7 },
      { name: 'b/6', bytes: 6 },
    ].concat([1, 2, 3, 4].map((at) => ({ name: `b/small-${at}`, bytes: 1 })));
    for (const order of [list, list.toReversed()]) expect(select(order, 9, 12)).toMatchObject({ 'a/7': 7, 'b/6': 0 });
  });

  it('give up one object when there is one too many, and not all that are alike', () => {
    const alike = Array.from({ length: 20 }, (_, at) => ({ name: `n${10 + at}/policy`, bytes: 5 }));
    expect(Object.values(select(alike, 999, 99)).filter((bytes) => bytes === 5)).toHaveLength(19);
  });
});

describe('objects that are too many', () => {
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

it('what a list comes to is what gives way one by one, whatever its order, and no modest namespace loses anything', () => {
  const bytes = fc.oneof(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 10, max: 20 }));
  const object = fc.record({ bytes, age: fc.nat(4), namespace: fc.nat(2) });
  const world = fc.array(object, { maxLength: 20 }).chain((all) => {
    const named = all.map(({ bytes, age, namespace }, at) => ({
      ...{ name: `n-${namespace}/o-${at}`, bytes },
      created: `2026-01-0${age + 1}`,
    }));
    return fc.tuple(fc.constant(named), fc.shuffledSubarray(named, { minLength: named.length }));
  });
  const bounds = fc.tuple(fc.constantFrom(5, 10, 1_000), fc.nat(100));
  fc.assert(
    fc.property(world, bounds, ([list, shuffled], [objects, room]) => {
      const selected = select(list, objects, room);
      expect(select(shuffled, objects, room)).toEqual(selected);
      expect(selected).toEqual(admitted(list, objects, room));
      const namespaces = Map.groupBy(list, ({ name }) => name.split('/')[0]);
      for (const all of namespaces.values()) {
        const isModest =
          all.length <= Math.floor(objects / namespaces.size) &&
          all.reduce((sum, one) => sum + one.bytes, 0) <= Math.floor(room / namespaces.size);
        if (isModest) for (const one of all) expect(selected[one.name]).toBe(one.bytes);
      }
    }),
  );
});
