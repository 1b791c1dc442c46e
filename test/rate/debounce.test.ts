import { Subject } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { bursts, every } from '../../src/rate/debounce.ts';
import { createManualClock } from '../support/edges/manual-clock.ts';

function createBursts() {
  const clock = createManualClock(0);
  const events = new Subject<void>();
  const at: number[] = [];
  const subscription = bursts(events, { idle: 25, ceiling: 500 }, clock).subscribe(() => at.push(clock.now()));
  return { clock, events, at, subscription };
}

describe('a burst', () => {
  it('ends when nothing happened for a while', () => {
    const { clock, events, at } = createBursts();
    events.next();
    clock.advance(24);
    events.next();
    clock.advance(24);
    expect(at).toEqual([]);
    clock.advance(1);
    expect(at).toEqual([49]);
    clock.advance(1000);
    expect(at).toEqual([49]);
  });

  it('ends at the ceiling when it does not by itself, and then another begins', () => {
    const { clock, events, at } = createBursts();
    for (let step = 0; step < 100; step += 1) {
      events.next();
      clock.advance(10);
    }
    clock.advance(1000);
    expect(at).toEqual([500, 1000]);
  });

  it('leaves no timer behind when nobody listens any more', () => {
    const { clock, events, subscription } = createBursts();
    events.next();
    expect(clock.waiting()).toEqual([25, 500]);
    subscription.unsubscribe();
    expect(clock.waiting()).toEqual([]);
  });
});

it('a clock strikes again and again', () => {
  const clock = createManualClock(0);
  const at: number[] = [];
  const subscription = every(clock, 5000).subscribe(() => at.push(clock.now()));
  for (let step = 0; step < 3; step += 1) clock.advance(5000);
  expect(at).toEqual([5000, 10_000, 15_000]);
  subscription.unsubscribe();
  expect(clock.waiting()).toEqual([]);
});
