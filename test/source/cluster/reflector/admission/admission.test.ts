import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ApiObject } from '../../../../../src/source/cluster/api/object.ts';
import { PendingChanges } from '../../../../../src/source/cluster/pending-changes.ts';
import { Admission } from '../../../../../src/source/cluster/reflector/admission/admission.ts';
import { LiveHeap } from '../../../../../src/source/cluster/reflector/admission/heap.ts';
import { ListingBudget } from '../../../../../src/source/cluster/reflector/admission/listing-budget.ts';
import { ObjectStore } from '../../../../../src/source/cluster/reflector/object-store.ts';
import { createRecordedCounters } from '../../../../support/edges/recorded-counters.ts';
import { createRecordedLog } from '../../../../support/edges/recorded-log.ts';
import { admitted } from './admitted.ts';

const collection = { kind: 'Service', namespace: undefined } as const;

/** A store with room for so many bytes, and so many objects, of Services. */
function start(room: number, objects: number = 1_000) {
  const most = { objects, bytes: room };
  const budget = new ListingBudget({
    shared: most,
    mostOfKind: most,
    ofKind: { objects: 0, bytes: 0 },
    received: Number.MAX_VALUE,
  });
  const pending = new PendingChanges([collection], { log: createRecordedLog(), counters: createRecordedCounters() });
  const store = new ObjectStore('Service', pending.handlerOf('Service'));
  let [lists, looks, version] = [0, 0, 0];
  const { contenders } = store;
  store.contenders = () => {
    looks += 1;
    return contenders.call(store);
  };
  const unsettled = (): void => {
    lists += 1;
  };
  const admission = new Admission({ collection, store, budget, pending, unsettled });
  const objectOf = (name: string, bytes: number): ApiObject => {
    version += 1;
    const metadata = { namespace: 'default', name, uid: name, resourceVersion: `${version}` };
    const content = { is: 'json', json: { metadata, spec: { ports: [] } } } as const;
    return { key: name, uid: name, resourceVersion: `${version}`, created: '2026', bytes, content };
  };
  return {
    budget,
    store,
    lists: () => lists,
    /** How often all that is stored was looked at. */
    looks: () => looks,
    leaveOut: (name: string): void => store.leaveOut(name),
    write: (name: string, bytes: number): void => admission.set(objectOf(name, bytes)),
    delete: (name: string): void => admission.delete(objectOf(name, 0)),
    /** A list comes to these, of which the last has no room. */
    list(...objects: readonly (readonly [name: string, bytes: number])[]): void {
      const replacement = store.replacement();
      for (const [at, [name, bytes]] of objects.entries()) {
        if (at < objects.length - 1) replacement.add(objectOf(name, bytes));
        else replacement.addWithoutRoom(objectOf(name, bytes));
      }
      replacement.commit().next();
      admission.replaced();
    },
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
    write('flood', 60);
    expect(sizes(), 'the largest that comes').toEqual({ honest: 11, flood: 0, 'larger flood': 40 });
    write('more', 45);
    expect(lists(), 'a list would come to the same').toBe(0);
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

it('an object that a list had no room for is read by another one once others are deleted', () => {
  const { list, write, lists, delete: remove } = start(100);
  list(['one', 30], ['two', 40], ['large', 60]);
  write('one', 29);
  expect(lists()).toBe(0);
  remove('one');
  expect(lists()).toBe(1);
});

it('a deletion costs no look at all that is stored where objects are left out: a list follows anyway', () => {
  const { list, leaveOut, looks, lists, delete: remove } = start(100);
  list(['one', 30], ['two', 40], ['large', 60]);
  leaveOut('many');
  for (const name of ['one', 'two']) remove(name);
  expect([looks(), lists()]).toEqual([0, 2]);
});

describe('objects of watches of several namespaces', () => {
  it('give way in the namespace that holds most, however small its objects are', () => {
    const { write, sizes, lists } = start(100);
    for (let at = 10; at < 70; at += 1) write(`flood/${at}`, 1);
    write('honest/one', 50);
    expect(sizes()).toMatchObject({ 'honest/one': 50, 'flood/59': 1, 'flood/60': 0 });
    write('honest/two', 50);
    expect(sizes(), 'the larger share').toMatchObject({ 'honest/one': 50, 'honest/two': 0, 'flood/59': 1 });
    expect(lists()).toBe(0);
  });

  it('that are too many are left out in the namespace that has most', () => {
    const { write, sizes, lists, delete: remove } = start(100, 4);
    for (const name of ['flood/a', 'flood/b', 'flood/c', 'flood/d', 'honest/one']) write(name, 1);
    expect(Object.keys(sizes())).toEqual(['flood/a', 'flood/b', 'flood/c', 'honest/one']);
    remove('flood/a');
    write('flood/e', 1);
    expect(Object.keys(sizes()), 'an older one was left out').toEqual(['flood/b', 'flood/c', 'honest/one']);
    expect(lists(), 'a list finds the older one').toBeGreaterThan(0);
  });

  it('are those that a list of them would come to, or a list follows that finds more', () => {
    const name = fc.constantFrom('a/1', 'a/2', 'a/3', 'a/4', 'b/1', 'b/2', 'b/3', 'c/1', 'c/2');
    const step = fc.record({ name, bytes: fc.oneof(fc.constant(0), fc.nat(5), fc.integer({ min: 10, max: 60 })) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const { write, delete: remove, sizes, lists } = start(100);
        const world = new Map<string, number>();
        for (const { name: key, bytes } of steps) {
          const before = lists();
          if (bytes === 0) remove(key);
          else write(key, bytes);
          world.delete(key);
          if (bytes > 0) world.set(key, bytes);
          const listed = admitted(
            [...world].map(([written, size]) => ({ name: written, bytes: size, created: '2026' })),
            ...([1_000, 100] as const),
          );
          const missing = Object.entries(sizes()).filter(([one, kept]) => kept !== listed[one]);
          expect(missing.map(([, kept]) => kept)).toEqual(missing.map(() => 0));
          if (missing.length > 0) expect(lists()).toBeGreaterThan(before);
        }
      }),
    );
  });
});

it('finding what gives way costs no look at all the others with each change', () => {
  const sizes = Array.from({ length: 1_000 }, (_, index) => index);
  let looks = 0;
  const largest = new LiveHeap<{ readonly at: number; readonly size: number }>(
    (one, other) => one.size - other.size,
    ({ at, size }) => {
      looks += 1;
      return sizes[at] === size;
    },
  );
  for (let change = 0; change < 20_000; change += 1) {
    const at = change % 1_000;
    sizes[at] = 1_000 + change;
    largest.add({ at, size: 1_000 + change });
    expect(largest.peek()?.at).toBe(at);
    expect(largest.size).toBeLessThan(5_000);
  }
  expect(looks).toBeLessThan(10 * 20_000);
});
