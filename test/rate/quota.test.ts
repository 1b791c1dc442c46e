import { expect, it } from 'vitest';
import { Quota } from '../../src/rate/quota.ts';

const taken = (quota: Quota, address: string): number => {
  let count = 0;
  while (quota.acquire(address)) count += 1;
  return count;
};

it('gives one address three quarters of the limit at most, and all addresses together the limit', () => {
  const quota = new Quota(20);
  expect(taken(quota, 'a')).toBe(15);
  expect(taken(quota, 'b')).toBe(5);
  expect(quota.acquire('c')).toBe(false);
});

it('gives out again what was released, to any address that may have it', () => {
  const quota = new Quota(20);
  taken(quota, 'a');
  taken(quota, 'b');
  quota.release('b');
  expect(quota.acquire('a')).toBe(false);
  expect(quota.acquire('c')).toBe(true);
  for (let count = 0; count < 15; count += 1) quota.release('a');
  expect(taken(quota, 'a')).toBe(15);
});

it('ignores a release by an address that holds nothing', () => {
  const quota = new Quota(4);
  quota.release('a');
  expect([taken(quota, 'a'), taken(quota, 'b')]).toEqual([3, 1]);
});

it('counts amounts, and takes all of one or nothing', () => {
  const bytes = new Quota(100, 1 / 2);
  expect(bytes.acquire('a', 30)).toBe(true);
  expect(bytes.acquire('a', 30)).toBe(false);
  expect(bytes.acquire('a', 20)).toBe(true);
  expect(bytes.acquire('b', 50)).toBe(true);
  expect(bytes.acquire('c', 1)).toBe(false);
  bytes.release('a', 1_000);
  expect(bytes.total).toBe(50);
});

it('leaves something to another key however many hold all that they may, with a share of the rest', () => {
  const quota = new Quota(1_000, 1 / 4, 1 / 2);
  const held = Array.from({ length: 12 }, (_, index) => taken(quota, `${index}`));
  expect(held.slice(0, 4)).toEqual([250, 250, 167, 111]);
  expect(held.every((count) => count > 0)).toBe(true);
});
