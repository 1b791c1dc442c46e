import { expect, it } from 'vitest';
import { AnswerBudgetError, uncountedBytes, uncountedListBytes } from '../../../src/gateway/upstream/answer-limits.ts';
import { BudgetLease } from '../../../src/gateway/upstream/budget-lease.ts';
import { Quota } from '../../../src/rate/quota.ts';

it('a small message or list holds nothing, and a larger one all of its bytes until it is released', () => {
  for (const uncounted of [uncountedBytes, uncountedListBytes]) {
    const quota = new Quota(1_000_000, 1);
    const lease = new BudgetLease(quota, 'ns/t', uncounted);
    lease.grow(uncounted);
    expect(quota.held('ns/t')).toBe(0);
    lease.grow(uncounted + 1);
    lease.grow(uncounted);
    expect(quota.held('ns/t')).toBe(uncounted + 1);
    lease.release();
    expect(quota.held('ns/t')).toBe(0);
  }
});

it('lists that are open at once have no more room together than the budget, however small each is', () => {
  const quota = new Quota(1_000_000, 1);
  const size = 56_000;
  const open = Array.from({ length: 17 }, () => new BudgetLease(quota, 'ns/t', uncountedListBytes));
  for (const lease of open) lease.grow(size);
  expect(() => new BudgetLease(quota, 'ns/t', uncountedListBytes).grow(size)).toThrow(AnswerBudgetError);
});
