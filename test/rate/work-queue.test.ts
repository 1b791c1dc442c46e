import { describe, expect, it } from 'vitest';
import { RateLimiter } from '../../src/rate/rate-limiter.ts';
import { WorkQueue, type WorkQueueParts } from '../../src/rate/work-queue.ts';
import { createManualClock } from '../support/edges/manual-clock.ts';

interface Change {
  readonly concurrency?: number;
  readonly burst?: number;
  readonly begin?: WorkQueueParts<string>['begin'];
}

/** A queue whose work ends when the test says so. */
function createRig({ concurrency = 10, burst = 100, begin }: Change = {}) {
  const clock = createManualClock();
  const begun: string[] = [];
  const active = new Map<string, () => void>();
  const queue = new WorkQueue<string>({
    clock,
    limiter: new RateLimiter(clock, { rate: 1, burst }),
    concurrency,
    keyOf: (item) => item.toLowerCase(),
    begin: (item) => {
      begun.push(item);
      if (begin !== undefined) return begin(item);
      const { promise, resolve } = Promise.withResolvers<void>();
      active.set(item, resolve);
      return promise;
    },
  });
  const finish = async (item: string): Promise<void> => {
    active.get(item)?.();
    for (let turn = 0; turn < 3; turn += 1) await Promise.resolve();
  };
  return { clock, queue, begun, finish };
}

describe('a work queue', () => {
  it('starts work in the order in which items were added, as far as concurrency allows', async () => {
    const { queue, begun, finish } = createRig({ concurrency: 2 });
    for (const item of ['a', 'b', 'c', 'd']) queue.add(item);
    expect(begun).toEqual(['a', 'b']);
    expect([queue.size, queue.ready]).toEqual([4, 2]);
    await finish('b');
    expect(begun).toEqual(['a', 'b', 'c']);
    expect(queue.size).toBe(3);
  });

  it('has an item once, in its newest form and at its first place', async () => {
    const { queue, begun, finish } = createRig({ concurrency: 1 });
    for (const item of ['x', 'a', 'b', 'A']) queue.add(item);
    expect(queue.size).toBe(3);
    await finish('x');
    expect(begun).toEqual(['x', 'A']);
  });

  it('works again on an item that is added during its work, and only afterwards', async () => {
    const { queue, begun, finish } = createRig();
    queue.add('a');
    queue.add('a');
    queue.add('b');
    expect(begun).toEqual(['a', 'b']);
    expect(queue.size).toBe(2);
    await finish('a');
    expect(begun).toEqual(['a', 'b', 'a']);
  });

  it('uses no permit and no worker for an item without work', () => {
    const { queue, begun } = createRig({ concurrency: 1, burst: 1, begin: () => undefined });
    for (const item of ['a', 'b', 'c']) queue.add(item);
    expect(begun).toEqual(['a', 'b', 'c']);
    expect(queue.size).toBe(0);
  });

  it('waits for permits', () => {
    const { queue, begun, clock } = createRig({ burst: 2 });
    for (const item of ['a', 'b', 'c', 'd']) queue.add(item);
    expect(begun).toEqual(['a', 'b']);
    expect(clock.waiting()).toEqual([1_000]);
    clock.advance(999);
    expect(begun).toEqual(['a', 'b']);
    clock.advance(1);
    expect(begun).toEqual(['a', 'b', 'c']);
    clock.advance(1_000);
    expect(begun).toEqual(['a', 'b', 'c', 'd']);
  });

  it('may be used while it starts work', () => {
    const order: string[] = [];
    const { queue } = createRig({
      begin: (item) => {
        order.push(item);
        if (item === 'a') for (const other of ['b', 'c']) queue.add(other);
        if (item === 'b') queue.delete('c');
        return undefined;
      },
    });
    queue.add('a');
    expect(order).toEqual(['a', 'b']);
  });
});

describe('a delay', () => {
  it('queues an item later, once', () => {
    const { queue, begun, clock } = createRig();
    queue.addAfter('a', 5_000);
    queue.addAfter('a', 2_000);
    expect([queue.size, queue.ready, queue.has('a')]).toEqual([1, 0, true]);
    clock.advance(1_999);
    expect(begun).toEqual([]);
    clock.advance(1);
    expect(begun).toEqual(['a']);
    expect(clock.waiting()).toEqual([]);
  });

  it('ends when the item is added', () => {
    const { queue, begun, clock } = createRig();
    queue.addAfter('a', 5_000);
    queue.add('a');
    expect(begun).toEqual(['a']);
    expect(clock.waiting()).toEqual([]);
  });

  it('may begin during the work, and work starts again after both', async () => {
    const { queue, begun, clock, finish } = createRig();
    queue.add('a');
    queue.addAfter('a', 1_000);
    expect(queue.size).toBe(1);
    clock.advance(1_000);
    expect(begun).toEqual(['a']);
    await finish('a');
    expect(begun).toEqual(['a', 'a']);
  });
});

describe('what is removed', () => {
  it('is not worked on, and is known to have been there', () => {
    const { queue, begun, clock } = createRig({ concurrency: 1 });
    for (const item of ['a', 'b']) queue.add(item);
    queue.addAfter('c', 1_000);
    expect(['a', 'b', 'c', 'd'].map((item) => queue.delete(item))).toEqual([false, true, true, false]);
    expect([queue.size, queue.has('a'), queue.has('b')]).toEqual([1, true, false]);
    clock.advance(5_000);
    expect(begun).toEqual(['a']);
  });

  it('is everything with clear, which makes room for new work at once', async () => {
    const { queue, begun, clock, finish } = createRig({ concurrency: 1, burst: 1 });
    for (const item of ['a', 'b']) queue.add(item);
    queue.addAfter('c', 1_000);
    queue.pause(10_000);
    queue.clear();
    expect([queue.size, queue.paused]).toEqual([0, false]);
    expect(clock.waiting()).toEqual([]);
    clock.advance(1_000);
    queue.add('a');
    expect(begun).toEqual(['a', 'a']);
    await finish('a');
    expect(queue.size).toBe(0);
  });

  it('leaves a worker to the work after it', async () => {
    const { queue, begun, clock, finish } = createRig({ concurrency: 1 });
    queue.add('old');
    queue.clear();
    queue.add('new');
    queue.add('next');
    await finish('old');
    expect(begun).toEqual(['old', 'new']);
    expect(clock.waiting()).toEqual([]);
  });
});

describe('a work queue after an error', () => {
  it('continues with the next item after work that threw', () => {
    const broken: string[] = ['throws'];
    const { queue, begun } = createRig({
      concurrency: 1,
      begin: () => {
        if (broken.pop() !== undefined) throw new Error('broken');
        return undefined;
      },
    });
    expect(() => queue.add('a')).toThrow('broken');
    expect(queue.size).toBe(0);
    queue.add('b');
    expect(begun).toEqual(['a', 'b']);
  });
});

describe('a pause', () => {
  it('starts no work until it is over', () => {
    const { queue, begun, clock } = createRig();
    queue.pause(1_000);
    queue.add('a');
    clock.advance(999);
    expect([begun, queue.paused]).toEqual([[], true]);
    clock.advance(1);
    expect([begun, queue.paused]).toEqual([['a'], false]);
  });

  it('lets work that has begun end', async () => {
    const { queue, begun, finish } = createRig();
    queue.add('a');
    queue.pause(1_000);
    queue.add('b');
    await finish('a');
    expect([begun, queue.size]).toEqual([['a'], 1]);
  });
});
