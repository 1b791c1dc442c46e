import { expect, it } from 'vitest';
import { Places } from '../../../src/serve/limits/quota.ts';

const taken = (places: Places, address: string): number => {
  let count = 0;
  while (places.take(address)) count += 1;
  return count;
};

it('one address has three quarters of the places at most, and all together no more than there are', () => {
  const places = new Places(20);
  expect(taken(places, 'a')).toBe(15);
  expect(taken(places, 'b')).toBe(5);
  expect(places.take('c')).toBe(false);
});

it('a place that is given back is there again, for whoever may have it', () => {
  const places = new Places(20);
  taken(places, 'a');
  taken(places, 'b');
  places.giveBack('b');
  expect(places.take('a')).toBe(false);
  expect(places.take('c')).toBe(true);
  for (let count = 0; count < 15; count += 1) places.giveBack('a');
  expect(taken(places, 'a')).toBe(15);
});

it('nobody gives back what it does not have', () => {
  const places = new Places(4);
  places.giveBack('a');
  expect([taken(places, 'a'), taken(places, 'b')]).toEqual([3, 1]);
});
