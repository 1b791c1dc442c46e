import { expect, it } from 'vitest';
import { at, every } from '../../src/net/timers.ts';
import { createManualClock } from '../support/edges/manual-clock.ts';

const years = 365 * 24 * 3_600_000;

it('an alarm years away rings then, although no timer can be set so far', () => {
  const clock = createManualClock();
  let rings = 0;
  at(clock, clock.now() + 5 * years, () => rings++);
  expect(Math.max(...clock.waiting())).toBeLessThan(2 ** 31);
  clock.advance(5 * years - 1);
  expect(rings).toBe(0);
  clock.advance(1);
  expect(rings).toBe(1);
  expect(clock.waiting()).toEqual([]);
});

it('an alarm for the past rings at once, and a stopped one never', () => {
  const clock = createManualClock();
  const rung: string[] = [];
  at(clock, 0, () => rung.push('past'));
  const stop = at(clock, clock.now() + 5 * years, () => rung.push('stopped'));
  clock.advance(years);
  stop();
  clock.advance(9 * years);
  expect(rung).toEqual(['past']);
});

it('what happens every so often does so until it is stopped, also from within', () => {
  const clock = createManualClock();
  let times = 0;
  const stop = every(clock, 10, () => {
    times += 1;
    if (times === 3) stop();
  });
  clock.advance(1_000);
  expect(times).toBe(3);
  expect(clock.waiting()).toEqual([]);
});
