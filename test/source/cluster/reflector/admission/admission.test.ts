import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ApiObject } from '../../../../../src/source/cluster/api/object.ts';
import { PendingChanges } from '../../../../../src/source/cluster/pending-changes.ts';
import { Admission } from '../../../../../src/source/cluster/reflector/admission/admission.ts';
import { LargestObjects } from '../../../../../src/source/cluster/reflector/admission/largest-objects.ts';
import { ListingBudget } from '../../../../../src/source/cluster/reflector/admission/listing-budget.ts';
import { ObjectStore } from '../../../../../src/source/cluster/reflector/object-store.ts';
import { createRecordedCounters } from '../../../../support/edges/recorded-counters.ts';
import { createRecordedLog } from '../../../../support/edges/recorded-log.ts';

const collection = { kind: 'Service', namespace: undefined } as const;

/** A store with room for so many bytes of Services. */
function start(room: number) {
  const most = { objects: 1_000, bytes: room };
  const budget = new ListingBudget({
    shared: most,
    mostOfKind: most,
    ofKind: { objects: 0, bytes: 0 },
    received: Number.MAX_VALUE,
  });
  const pending = new PendingChanges([collection], { log: createRecordedLog(), counters: createRecordedCounters() });
  const store = new ObjectStore('Service', pending.handlerOf('Service'));
  let lists = 0;
  let version = 0;
  const unsettled = (): void => {
    lists += 1;
  };
  const admission = new Admission({ collection, store, budget, pending, unsettled });
  const objectOf = (name: string, bytes: number): ApiObject => {
    version += 1;
    const metadata = { namespace: 'default', name, uid: name, resourceVersion: `${version}` };
    const content = { is: 'json', json: { metadata, spec: { ports: [] } } } as const;
    return { key: name, uid: name, resourceVersion: `${version}`, created: '', bytes, content };
  };
  return {
    budget,
    store,
    lists: () => lists,
    write: (name: string, bytes: number): void => admission.set(objectOf(name, bytes)),
    delete: (name: string): void => admission.delete(objectOf(name, 0)),
    /** The bytes of each object; 0: it has no room. */
    sizes: () => Object.fromEntries([...store.keys()].map((key) => [key, store.bytesOf(key)])),
  };
}

describe('an object of a watch that has no room for its bytes', () => {
  it('is kept in place of the largest one, if that is larger', () => {
    const { write, sizes, lists } = start(100);
    write('honest', 10);
    write('flood', 50);
    write('larger flood', 40);
    write('honest', 11);
    expect(sizes()).toEqual({ honest: 11, flood: 0, 'larger flood': 40 });
    expect(lists()).toBe(1);
    write('flood', 60);
    expect(sizes(), 'the largest that comes').toEqual({ honest: 11, flood: 0, 'larger flood': 40 });
    write('more', 45);
    write('even more', 30);
    expect(sizes(), 'one that has shrunk counts as it is now').toEqual({
      ...{ honest: 11, flood: 0, 'larger flood': 40, more: 0 },
      'even more': 30,
    });
  });

  it('gives way itself to others of its size', () => {
    const { write, sizes } = start(100);
    for (const name of ['a', 'b', 'c', 'd']) write(name, 30);
    expect(sizes()).toEqual({ a: 30, b: 30, c: 30, d: 0 });
  });

  it('does not let more objects give way than it needs while a list leaves no room', () => {
    const { budget, write, sizes } = start(100);
    for (const name of ['a', 'b', 'c']) write(name, 20);
    write('small', 5);
    const listing = budget.begin({ kind: 'Namespace', namespace: undefined });
    listing.keep({ objects: 1, bytes: 80 });
    write('small', 6);
    expect(sizes()).toEqual({ a: 20, b: 20, c: 0, small: 6 });
    listing.end();
  });

  it('has none only when no larger one is left, and the sum stays within the budget', () => {
    const step = fc.record({
      name: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'),
      bytes: fc.integer({ min: 0, max: 60 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const { write, delete: remove, store, sizes } = start(100);
        for (const { name, bytes } of steps) {
          if (bytes === 0) remove(name);
          else write(name, bytes);
          expect(store.size.bytes).toBeLessThanOrEqual(100);
          if (bytes === 0 || store.bytesOf(name) !== 0) continue;
          for (const other of Object.values(sizes())) expect(other).toBeLessThanOrEqual(bytes);
        }
      }),
    );
  });
});

it('finding the largest object costs a look at all of them once, not with each change', () => {
  const sizes = new Map(Array.from({ length: 1_000 }, (_, index) => [`${index}`, index]));
  let looks = 0;
  const largest = new LargestObjects({
    count: () => sizes.size,
    keys: () => sizes.keys(),
    bytesOf(key) {
      looks += 1;
      return sizes.get(key);
    },
  });
  for (let change = 0; change < 100_000; change += 1) {
    const key = `${change % 1_000}`;
    sizes.set(key, 1_000 + change);
    largest.changed(key);
    expect(largest.largerThan(0)).toBe(key);
  }
  expect(looks).toBeLessThan(10 * 100_000);
});
