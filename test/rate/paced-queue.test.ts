import { beforeEach, describe, expect, it } from 'vitest';
import { PacedQueue } from '../../src/rate/paced-queue.ts';
import { createManualClock, type ManualClock } from '../support/edges/manual-clock.ts';

interface Item {
  readonly name: string;
}

let clock: ManualClock;
let ready: number;
let delayed: string[];

beforeEach(() => {
  clock = createManualClock();
  ready = 0;
  delayed = [];
});

/** A key may have one a second and two at once, all together two and three. */
function create(items: Readonly<Record<string, readonly string[]>>, capacity = 100): PacedQueue<Item> {
  const queue = new PacedQueue<Item>({
    capacity,
    keyRate: { rate: 1, burst: 2 },
    rate: { rate: 2, burst: 3 },
    clock,
    ready() {
      ready += 1;
    },
    delayed: (key) => void delayed.push(key),
  });
  for (const [key, names] of Object.entries(items)) for (const name of names) queue.add(key, { name });
  return queue;
}

/** The names of what can be taken now. */
function take(queue: PacedQueue<Item>): string {
  const names: string[] = [];
  for (let item = queue.next(); item !== undefined; item = queue.next()) names.push(item.name);
  return names.join(' ');
}

describe('items beyond the rate', () => {
  it('of their key wait, while those of other keys are taken in turn', () => {
    const queue = create({ flood: ['a', 'b', 'c', 'd'], other: ['x'] });
    expect(take(queue)).toBe('a x b');
    clock.advance(1_000);
    expect(ready).toBeGreaterThan(0);
    expect(take(queue)).toBe('c');
    expect(delayed.at(-1)).toBe('flood');
  });

  it('of all keys wait until the next one is free, and whoever takes them is told then', () => {
    const queue = create({ a: ['a'], b: ['b'], c: ['c'], d: ['d'] });
    expect(take(queue)).toBe('a b c');
    expect([queue.isReady, ready, delayed]).toEqual([false, 0, ['d']]);
    clock.advance(500);
    expect([queue.isReady, ready, take(queue)]).toEqual([true, 1, 'd']);
  });

  it('are taken at once by whoever does not pace, and cost no permit', () => {
    const queue = create({ a: ['a', 'b', 'c', 'd'] });
    expect([queue.next(false)?.name, queue.next(false)?.name]).toEqual(['a', 'b']);
    expect(take(queue)).toBe('c d');
  });

  it('are all returned at the end, with no timer left', () => {
    const queue = create({ a: ['a', 'b', 'c'], b: ['x', 'y', 'z'] });
    take(queue);
    expect(clock.waiting().length).toBeGreaterThan(0);
    expect(
      queue
        .drain()
        .map(({ name }) => name)
        .sort(),
    ).toEqual(['c', 'y', 'z']);
    expect([clock.waiting(), queue.isReady]).toEqual([[], false]);
  });
});

it('an item that was removed is not taken, and no key waits for it', () => {
  const queue = create({});
  const item = { name: 'a' };
  queue.add('a', item);
  queue.delete('a', item);
  expect([queue.isReady, queue.next()]).toEqual([false, undefined]);
});

it('a key whose waiting item is deleted, and that has another one then, has one timer', () => {
  const queue = create({ flood: ['a', 'b'] });
  take(queue);
  for (let times = 0; times < 3; times += 1) {
    const item = { name: 'c' };
    queue.add('flood', item);
    expect(queue.next()).toBeUndefined();
    queue.delete('flood', item);
  }
  expect(clock.waiting().length).toBeLessThanOrEqual(1);
  queue.drain();
  expect(clock.waiting()).toEqual([]);
});
