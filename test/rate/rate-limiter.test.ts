import { describe, expect, it } from 'vitest';
import { TokenBucket } from '../../src/status/token-bucket.ts';
import { createManualClock } from '../support/edges/manual-clock.ts';

describe('a token bucket', () => {
  it('lets a burst through, and then so many a second', () => {
    const clock = createManualClock();
    const bucket = new TokenBucket(clock, 20, 3);
    expect([bucket.take(), bucket.take(), bucket.take(), bucket.take()]).toEqual([0, 0, 0, 50]);
    clock.advance(49);
    expect(bucket.take()).toBe(1);
    clock.advance(1);
    expect([bucket.take(), bucket.take()]).toEqual([0, 50]);
  });

  it('saves no more than a burst', () => {
    const clock = createManualClock();
    const bucket = new TokenBucket(clock, 20, 3);
    clock.advance(3_600_000);
    expect([bucket.take(), bucket.take(), bucket.take(), bucket.take()]).toEqual([0, 0, 0, 50]);
  });

  it('makes nobody wait longer when the clock is set back', () => {
    let now = 1_000_000;
    const bucket = new TokenBucket({ now: () => now, after: () => () => {} }, 20, 1);
    expect(bucket.take()).toBe(0);
    now = 0;
    expect(bucket.take()).toBe(50);
    now = 50;
    expect(bucket.take()).toBe(0);
  });
});
