import { describe, expect, it } from 'vitest';
import { backoffDelay } from '../../src/rate/backoff.ts';

const backoff = { initial: 100, max: 1_000 };
const failures = [1, 2, 3, 4, 5, 6, 1_000];

describe('a backoff', () => {
  it('doubles with each failure, up to its maximum', () => {
    expect(failures.map((count) => backoffDelay(count, backoff, () => 1))).toEqual([
      100, 200, 400, 800, 1_000, 1_000, 1_000,
    ]);
  });

  it('leaves half of the delay to chance', () => {
    expect(failures.map((count) => backoffDelay(count, backoff, () => 0))).toEqual([50, 100, 200, 400, 500, 500, 500]);
    expect(backoffDelay(1, backoff, () => 0.5)).toBe(75);
  });
});
