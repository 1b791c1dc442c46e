import { describe, expect, it } from 'vitest';
import { type Pace, paceAfterFailing, paceAfterWriting, waitOf } from '../../../src/status/writer/write-backoff.ts';

const highest = (): number => 1 - Number.EPSILON;

/** The waits, in seconds, between writes of the same that follow as soon as they may. */
function waits(count: number, after: typeof paceAfterWriting): readonly number[] {
  let pace: Pace | undefined;
  let now = 0;
  return Array.from({ length: count }, () => {
    pace = after(pace, 'the same', now, highest);
    const wait = waitOf(pace, 'the same', now);
    now += wait;
    return Math.round(wait / 1_000);
  });
}

describe('the pace of one object', () => {
  it('is unlimited before the first write', () => {
    expect(waitOf(undefined, 'a', 5)).toBe(0);
  });

  it('slows down when the same has to be written again and again', () => {
    expect(waits(10, paceAfterWriting)).toEqual([2, 4, 8, 16, 32, 64, 128, 256, 300, 300]);
  });

  it('slows down when writing fails', () => {
    expect(waits(11, paceAfterFailing)).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]);
  });

  it('is a second for something else, however contested it was', () => {
    let pace: Pace | undefined;
    for (let round = 0; round < 10; round += 1) pace = paceAfterWriting(pace, 'a', 0, highest);
    expect(waitOf(pace, 'b', 0)).toBe(1_000);
    expect(waitOf(pace, 'b', 1_000)).toBe(0);
  });

  it('begins anew once nobody has touched the object for ten minutes, or when something else was written', () => {
    let pace: Pace | undefined;
    for (let round = 0; round < 10; round += 1) pace = paceAfterWriting(pace, 'a', 0, highest);
    expect(paceAfterWriting(pace, 'a', 600_000, highest).repeats).toBe(0);
    expect(paceAfterWriting(pace, 'b', 1_000, highest).repeats).toBe(0);
    expect(paceAfterWriting(pace, 'a', 1_000, highest).repeats).toBe(10);
  });

  it('is not slower because the clock was set', () => {
    const pace = paceAfterWriting(undefined, 'a', 1_000_000, highest);
    expect(waitOf(pace, 'a', 0)).toBeLessThanOrEqual(2_000);
    expect(waitOf(pace, 'a', 9_000_000)).toBe(0);
  });
});
