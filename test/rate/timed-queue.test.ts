import { expect, it } from 'vitest';
import { TimedQueue } from '../../src/rate/timed-queue.ts';

interface Item {
  readonly key: string;
}

/** Items whose work takes some milliseconds, all of which follow on one another by promises. */
function createRig(milliseconds: number) {
  let now = 0;
  const done: string[] = [];
  const work = async ({ key }: Item): Promise<void> => {
    await Promise.resolve().then(() => Promise.resolve());
    now += milliseconds;
    done.push(key);
  };
  const queue = new TimedQueue<Item>({ monotonic: () => now }, (item) => void work(item));
  return {
    queue,
    add: (key: string): void => queue.add(key, { key }),
    /** What is done until the next iteration of the event loop. */
    async next(): Promise<string> {
      const before = done.length;
      await new Promise((resolve) => setImmediate(resolve));
      return done.slice(before).join('');
    },
  };
}

it('works for five milliseconds of each iteration, and counts what promises do', async () => {
  const { add, next, queue } = createRig(2);
  for (let item = 0; item < 7; item += 1) add('a');
  expect(queue.isWaiting).toBe(true);
  expect([await next(), await next(), await next(), await next()].join(' ').trim()).toBe('aaa aaa a');
  expect(queue.isWaiting).toBe(false);
});

it('takes a key that begins to wait before those that always have some', async () => {
  const { add, next } = createRig(5);
  for (const key of ['a', 'b', 'c', 'a', 'b', 'c']) add(key);
  const first = [await next(), await next(), await next()].join('');
  add('d');
  expect([first, await next(), await next()]).toEqual(['abc', 'd', 'a']);
});

it('has time for those that do not wait until it is used up, and again in the next iteration', async () => {
  const { add, next, queue } = createRig(5);
  expect(queue.hasTime()).toBe(true);
  add('a');
  const before = queue.iteration;
  await next();
  expect(queue.iteration).toBeGreaterThan(before);
  expect(queue.hasTime()).toBe(true);
});
