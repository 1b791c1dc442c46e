import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FairQueue } from '../../src/rate/fair-queue.ts';

interface Item {
  readonly key: string;
  readonly index: number;
}

function createRig(capacity: number) {
  const queue = new FairQueue<Item>(capacity);
  const text = (item: Item | undefined): string => (item === undefined ? '-' : `${item.key}${item.index}`);
  return {
    queue,
    add: (key: string, index: number): string => text(queue.add(key, { key, index })),
    next: (): string => text(queue.next()),
  };
}

describe('a fair queue', () => {
  it('serves the keys round robin, and the items of a key in their order', () => {
    const { add, next } = createRig(10);
    for (const index of [0, 1, 2]) add('a', index);
    add('b', 0);
    add('c', 0);
    expect([1, 2, 3, 4, 5, 6].map(() => next())).toEqual(['a0', 'b0', 'c0', 'a1', 'a2', '-']);
  });

  it('serves no item of a suspended key until it is resumed, and counts them', () => {
    const { add, next, queue } = createRig(4);
    for (const key of ['a', 'b']) add(key, 0);
    queue.suspend('a');
    add('a', 1);
    expect([queue.nextKey, next(), next(), queue.nextKey, queue.size]).toEqual(['b', 'b0', '-', undefined, 2]);
    add('c', 0);
    queue.resume('a');
    expect([next(), next(), next(), next()]).toEqual(['c0', 'a0', 'a1', '-']);
  });

  it('when full rejects the oldest of the longest queue, also of a suspended key', () => {
    const { add, queue } = createRig(2);
    for (const index of [0, 1]) add('a', index);
    queue.suspend('a');
    expect(add('b', 0)).toBe('a0');
  });

  it('when full rejects an item of the key that waits most, and the oldest of the longest queue for any other', () => {
    const { add, next, queue } = createRig(3);
    expect([0, 1, 2, 3].map((index) => add('flood', index))).toEqual(['-', '-', '-', 'flood3']);
    expect(add('other', 0)).toBe('flood0');
    expect([next(), next(), next()]).toEqual(['flood1', 'other0', 'flood2']);
    expect(queue.size).toBe(0);
  });

  it('when full of single items rejects the newcomer, not the one that waited longest', () => {
    const { add, next } = createRig(2);
    expect(['a', 'b', 'c'].map((key) => add(key, 0))).toEqual(['-', '-', 'c0']);
    expect(next()).toBe('a0');
  });

  it('counts an item once that is added again while it waits, so that it is empty at the end', () => {
    const { queue } = createRig(10);
    const item = { key: 'a', index: 0 };
    for (let times = 0; times < 3; times += 1) queue.add('a', item);
    queue.suspend('a');
    queue.add('a', item);
    queue.resume('a');
    expect([queue.size, queue.next(), queue.size, queue.next()]).toEqual([1, item, 0, undefined]);
  });

  it('forgets an item that does not wait any longer', () => {
    const { queue, next } = createRig(2);
    const item = { key: 'a', index: 0 };
    queue.add('a', item);
    queue.delete('a', item);
    queue.delete('a', item);
    expect([queue.size, next(), queue.nextKey]).toEqual([0, '-', undefined]);
  });
});

describe('the order of a fair queue', () => {
  it('serves a key that begins to wait before those that always have some', () => {
    const { add, next } = createRig(100);
    const floods = ['a', 'b', 'c'];
    for (const key of floods) for (const index of [0, 1, 2, 3]) add(key, index);
    expect([next(), next(), next(), next()]).toEqual(['a0', 'b0', 'c0', 'a1']);
    add('probe', 0);
    expect([next(), next(), next()]).toEqual(['probe0', 'b1', 'c1']);
    add('probe', 1);
    expect([next(), next(), next(), next()]).toEqual(['a2', 'probe1', 'b2', 'c2']);
  });

  it('serves a key that begins to wait first, however many others were while nobody else waited', () => {
    const { add, next } = createRig(100);
    for (let index = 0; index < 20; index += 1) {
      add('a', index);
      next();
    }
    for (const index of [20, 21, 22]) add('a', index);
    add('probe', 0);
    expect([next(), next(), next()]).toEqual(['a20', 'probe0', 'a21']);
  });

  it('serves a key no sooner that adds its items one by one', () => {
    const { add, next } = createRig(100);
    const floods = ['a', 'b', 'c'];
    for (const key of floods) add(key, 0);
    add('d', 0);
    for (let index = 1; index < 20; index += 1) {
      const served = next();
      add(served.slice(0, 1), index);
    }
    add('probe', 0);
    expect(next()).toBe('probe0');
  });

  it('serves those that wait for their turn, however many keys begin to wait', () => {
    const { add, next } = createRig(100);
    for (const index of [0, 1, 2]) add('waits', index);
    const served = Array.from({ length: 40 }, (_, index) => {
      add(`${index}-`, 0);
      return next();
    });
    expect(served.flatMap((name, at) => (name.startsWith('waits') ? [at] : []))).toEqual([0, 17, 34]);
  });
});

describe('a fair queue, whatever is added and taken,', () => {
  it('never exceeds its capacity, loses no item silently, and never rejects the only item of a key beside a longer queue', () => {
    const step = fc.oneof(fc.constant('next' as const), fc.constantFrom('a', 'b', 'c', 'd'));
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 5 }), fc.array(step, { maxLength: 60 }), (capacity, steps) => {
        const { queue } = createRig(capacity);
        const waiting = new Set<Item>();
        const count = (key: string): number => [...waiting].filter((item) => item.key === key).length;
        steps.forEach((key, index) => {
          if (key === 'next') {
            const item = queue.next();
            expect(item === undefined).toBe(waiting.size === 0);
            if (item !== undefined) expect(waiting.delete(item)).toBe(true);
            return;
          }
          const longest = Math.max(0, ...['a', 'b', 'c', 'd'].map(count));
          const item = { key, index };
          waiting.add(item);
          const rejected = queue.add(key, item);
          if (rejected !== undefined) {
            expect(count(rejected.key)).toBeGreaterThanOrEqual(Math.max(longest, 1));
            expect(waiting.delete(rejected)).toBe(true);
          }
          expect(queue.size).toBe(waiting.size);
          expect(queue.size).toBeLessThanOrEqual(capacity);
        });
      }),
    );
  });
});
