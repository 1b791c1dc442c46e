import { describe, expect, it } from 'vitest';
import { KeyedRateLimiter } from '../../src/rate/keyed-rate-limiter.ts';
import { createManualClock } from '../support/edges/manual-clock.ts';

describe('a keyed rate limiter', () => {
  it('gives each key permits of its own', () => {
    const clock = createManualClock();
    const limiter = new KeyedRateLimiter(clock, { rate: 1 / 30, burst: 2 });
    expect(['a', 'a', 'a', 'b'].map((key) => limiter.tryTake(key))).toEqual([0, 0, 30_000, 0]);
    clock.advance(30_000);
    expect(['a', 'a'].map((key) => limiter.tryTake(key))).toEqual([0, 30_000]);
  });

  it('forgets the key that was used longest ago when there are too many', () => {
    const limiter = new KeyedRateLimiter(createManualClock(), { rate: 1, burst: 1, maxKeys: 2 });
    expect(['first', 'second', 'first', 'third', 'first', 'second'].map((key) => limiter.tryTake(key) === 0)).toEqual([
      true,
      true,
      false,
      true,
      false,
      true,
    ]);
  });

  it('remembers a thousand keys unless told otherwise', () => {
    const limiter = new KeyedRateLimiter(createManualClock(), { rate: 1, burst: 1 });
    limiter.tryTake('first');
    for (let at = 0; at < 999; at += 1) limiter.tryTake(`x${at}`);
    expect(limiter.tryTake('first')).toBe(1_000);
    for (let at = 0; at < 1_000; at += 1) limiter.tryTake(`y${at}`);
    expect(limiter.tryTake('first')).toBe(0);
  });
});
