import { expect, it } from 'vitest';
import { createAnswerBudget, uncountedBytes } from '../../../src/gateway/upstream/answer-limits.ts';
import { MessageBuffer } from '../../../src/gateway/upstream/transport/message-buffer.ts';
import { FairTurns } from '../../../src/rate/fair-turns.ts';

const iteration = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

it('one reader goes on in each iteration of the event loop, and targets take turns', async () => {
  const turns = new FairTurns();
  const order: string[] = [];
  for (const reader of ['a 1', 'a 2', 'a 3', 'b 1']) {
    void turns.next(reader.slice(0, 1)).then(() => order.push(reader));
  }
  const seen: number[] = [];
  for (let count = 0; count < 4; count += 1) {
    await iteration();
    seen.push(order.length);
  }
  await iteration();
  expect(order).toEqual(['a 1', 'b 1', 'a 2', 'a 3']);
  expect(seen.every((length, index) => length <= index + 1)).toBe(true);
});

it('a small message is read at once, and a large one in its turn', async () => {
  const budget = createAnswerBudget(new FairTurns());
  const begin = (): MessageBuffer => new MessageBuffer({ budget, target: 'a' }, () => {});
  const [small, large, many] = [begin(), begin(), begin()];
  small.append(new Uint8Array(uncountedBytes).fill(0x20));
  large.append(new Uint8Array(uncountedBytes + 1).fill(0x20));
  // It takes as long to be parsed as a larger one.
  many.append(Buffer.from(`[${'{},'.repeat(6_000)}{}]`));
  const went: string[] = [];
  void large.ready().then(() => went.push('large'));
  void many.ready().then(() => went.push('many'));
  void small.ready().then(() => went.push('small'));
  await Promise.resolve();
  await Promise.resolve();
  expect(went).toEqual(['small']);
  await iteration();
  await iteration();
  await iteration();
  expect(went).toEqual(['small', 'large', 'many']);
});
