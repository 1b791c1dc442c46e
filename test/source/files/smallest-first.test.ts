import { expect, it } from 'vitest';
import { SmallestFirst } from '../../../src/source/files/smallest-first.ts';

it('the smallest goes first, and one that was passed counts half as much each time', () => {
  const order = new SmallestFirst<{ readonly size: number }>(({ size }) => size);
  const [large, first] = [{ size: 8 }, { size: 3 }];
  expect(order.choose([])).toBeUndefined();
  expect(order.choose([large, first])).toBe(first);
  // Now it counts as 4, then as 2.
  const [second, third] = [{ size: 3 }, { size: 3 }];
  expect(order.choose([large, second])).toBe(second);
  expect(order.choose([large, third])).toBe(large);
});

it('of equal ones, the one that came first goes first, and passes nobody', () => {
  const order = new SmallestFirst<{ readonly size: number }>(({ size }) => size);
  const [first, second, third] = [{ size: 4 }, { size: 4 }, { size: 3 }];
  expect(order.choose([first, second])).toBe(first);
  expect(order.choose([second, third])).toBe(third);
});
