import { type Observable, Subject, type Subscription } from 'rxjs';
import { describe, expect, it } from 'vitest';
import type { Clock } from '../../src/edges.ts';
import { debounce, debounceLeading } from '../../src/rate/debounce.ts';
import { createManualClock, type ManualClock } from '../support/edges/manual-clock.ts';

interface Debounced {
  readonly clock: ManualClock;
  readonly events: Subject<void>;
  /** When values were emitted. */
  readonly at: readonly number[];
  readonly subscription: Subscription;
}

/** @param act is called for each value, before it is recorded */
function subscribe(
  operator: typeof debounce,
  options: Parameters<typeof debounce>[1],
  act: (events: Subject<void>) => void = () => {},
): Debounced {
  const clock = createManualClock(0);
  const events = new Subject<void>();
  const at: number[] = [];
  const values: Observable<void> = operator(events, options, clock);
  const subscription = values.subscribe(() => {
    at.push(clock.now());
    act(events);
  });
  return { clock, events, at, subscription };
}

describe('a debounce on the trailing edge', () => {
  const options = { idle: 25, ceiling: 500 };

  it('emits when no event came for the idle time', () => {
    const { clock, events, at } = subscribe(debounce, options);
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

  it('emits at the ceiling while events go on, and then begins another burst', () => {
    const { clock, events, at } = subscribe(debounce, options);
    for (let step = 0; step < 100; step += 1) {
      events.next();
      clock.advance(10);
    }
    clock.advance(1000);
    expect(at).toEqual([500, 1000]);
  });

  it('takes an event that a subscriber causes into the next burst', () => {
    const { clock, events, at } = subscribe(debounce, options, () => {
      if (at.length === 1) events.next();
    });
    events.next();
    clock.advance(1000);
    expect(at).toEqual([25, 50]);
  });

  it('leaves no timer behind when it is unsubscribed', () => {
    const { clock, events, subscription } = subscribe(debounce, options);
    events.next();
    expect(clock.waiting()).toEqual([25, 500]);
    subscription.unsubscribe();
    expect(clock.waiting()).toEqual([]);
  });
});

describe('the timers of a debounce', () => {
  const options = { idle: 25, ceiling: 500 };

  it('are not started for each event', () => {
    const manual = createManualClock(0);
    let timers = 0;
    const clock: Clock = {
      ...manual,
      after(milliseconds, run) {
        timers += 1;
        return manual.after(milliseconds, run);
      },
    };
    const events = new Subject<void>();
    const subscription = debounce(events, options, clock).subscribe();
    for (let event = 0; event < 10_000; event += 1) events.next();
    manual.advance(24);
    for (let event = 0; event < 10_000; event += 1) events.next();
    expect([timers, manual.waiting()]).toEqual([2, [1, 476]]);
    manual.advance(1);
    expect([timers, manual.waiting()]).toEqual([3, [24, 475]]);
    subscription.unsubscribe();
  });

  it('end after the idle time also when the clock is set back', () => {
    const { clock, events, at } = subscribe(debounce, options);
    events.next();
    clock.jump(-100_000);
    clock.advance(24);
    expect(at).toEqual([]);
    clock.advance(1);
    expect(at).toEqual([-99_975]);
    expect(clock.waiting()).toEqual([]);
  });
});

describe('a debounce on both edges', () => {
  const options = { idle: 10, ceiling: 200 };

  it('emits the first event at once, and those that follow together', () => {
    const { clock, events, at } = subscribe(debounceLeading, options);
    events.next();
    expect(at).toEqual([0]);
    for (let step = 0; step < 3; step += 1) {
      clock.advance(9);
      events.next();
    }
    expect(at).toEqual([0]);
    clock.advance(10);
    expect(at).toEqual([0, 37]);
  });

  it('emits at once again after an idle time, which begins anew with each value', () => {
    const { clock, events, at } = subscribe(debounceLeading, options);
    events.next();
    clock.advance(10);
    events.next();
    expect(at).toEqual([0, 10]);
    clock.advance(9);
    events.next();
    clock.advance(10);
    expect(at).toEqual([0, 10, 29]);
    clock.advance(9);
    events.next();
    expect(at).toEqual([0, 10, 29]);
    clock.advance(10);
    expect(at).toEqual([0, 10, 29, 48]);
    clock.advance(1000);
    expect([at.length, clock.waiting()]).toEqual([4, []]);
  });

  it('holds an event no longer than the ceiling, which counts from the first held one', () => {
    const { clock, events, at } = subscribe(debounceLeading, options);
    for (let step = 0; step < 90; step += 1) {
      events.next();
      clock.advance(5);
    }
    expect(at).toEqual([0, 205, 405]);
  });

  it('holds an event that a subscriber causes, and does not lose it', () => {
    const { clock, events, at } = subscribe(debounceLeading, options, () => {
      if (at.length < 3) events.next();
    });
    events.next();
    expect(at).toEqual([0]);
    clock.advance(10);
    clock.advance(10);
    clock.advance(1000);
    expect(at).toEqual([0, 10, 20]);
  });

  it('leaves no timer behind when it is unsubscribed, and emits nothing more', () => {
    const { clock, events, at, subscription } = subscribe(debounceLeading, options);
    events.next();
    events.next();
    expect(clock.waiting()).toEqual([10, 200]);
    subscription.unsubscribe();
    expect(clock.waiting()).toEqual([]);
    clock.advance(1000);
    expect(at).toEqual([0]);
  });
});
