import { describe, expect, it } from 'vitest';
import { Allowances } from '../../src/rate/keyed-rate-limiter.ts';
import { createManualClock } from '../support/edges/manual-clock.ts';

describe('an allowance', () => {
  it('is so many in any span of that length, for each object', () => {
    const clock = createManualClock();
    const allowances = new Allowances(clock, 2, 60_000);
    expect(allowances.take('a')).toBe(true);
    clock.advance(30_000);
    expect([allowances.take('a'), allowances.take('a'), allowances.take('b')]).toEqual([true, false, true]);
    clock.advance(30_000);
    expect([allowances.take('a'), allowances.take('a')]).toEqual([true, false]);
  });

  it('is remembered for a thousand objects', () => {
    const allowances = new Allowances(createManualClock(), 1, 60_000);
    allowances.take('first');
    for (let at = 0; at < 999; at += 1) allowances.take(`x${at}`);
    expect(allowances.take('first')).toBe(false);
    allowances.take('one more');
    expect(allowances.take('first')).toBe(true);
  });
});
