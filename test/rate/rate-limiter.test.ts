import { describe, expect, it } from 'vitest';
import { RateLimiter } from '../../src/rate/rate-limiter.ts';
import { createManualClock } from '../support/edges/manual-clock.ts';

describe('a rate limiter', () => {
  it('gives out a burst, and then permits at its rate', () => {
    const clock = createManualClock();
    const limiter = new RateLimiter(clock, { rate: 20, burst: 3 });
    const take = (): number => limiter.tryTake();
    expect([take(), take(), take(), take()]).toEqual([0, 0, 0, 50]);
    clock.advance(49);
    expect(take()).toBe(1);
    clock.advance(1);
    expect([take(), take()]).toEqual([0, 50]);
  });

  it('saves up no more than a burst', () => {
    const clock = createManualClock();
    const limiter = new RateLimiter(clock, { rate: 20, burst: 3 });
    clock.advance(3_600_000);
    expect([1, 2, 3, 4].map(() => limiter.tryTake())).toEqual([0, 0, 0, 50]);
  });

  it('has a burst of one second unless told otherwise, and one permit at least', () => {
    const clock = createManualClock();
    const fast = new RateLimiter(clock, { rate: 3 });
    expect([1, 2, 3, 4].map(() => fast.tryTake())).toEqual([0, 0, 0, 334]);
    const slow = new RateLimiter(clock, { rate: 0.5 });
    expect([1, 2].map(() => slow.tryTake())).toEqual([0, 2_000]);
  });

  it('gives out several permits together, or none of them, and never more than a burst', () => {
    const clock = createManualClock();
    const limiter = new RateLimiter(clock, { rate: 20, burst: 10 });
    expect([limiter.tryTake(7), limiter.tryTake(4), limiter.tryTake(3), limiter.tryTake()]).toEqual([0, 50, 0, 50]);
    clock.advance(500);
    expect([limiter.tryTake(11), limiter.tryTake(10), limiter.tryTake(2)]).toEqual([50, 0, 100]);
  });

  it('does not wait until a clock that was set back has caught up', () => {
    const clock = createManualClock();
    const limiter = new RateLimiter(clock, { rate: 20, burst: 1 });
    expect([limiter.tryTake(), limiter.tryTake()]).toEqual([0, 50]);
    clock.jump(-1_000_000);
    expect(limiter.tryTake()).toBe(50);
    clock.advance(50);
    expect(limiter.tryTake()).toBe(0);
  });
});
