import type { Clock } from '../../../src/edges.ts';

/** A clock that only a test advances, and that reports its timers. */
export interface ManualClock extends Clock {
  /** Advances the time and runs the timers that are due, in their order. */
  advance(milliseconds: number): void;
  /** Sets the time, as an operator or NTP does: durations are as long as before. */
  jump(milliseconds: number): void;
  /** Advances to the next timer and runs it; returns the milliseconds that this took. */
  next(): number;
  /** The milliseconds until each timer, in ascending order. */
  waiting(): readonly number[];
  /** Settles once `count` timers are pending. */
  armed(count?: number): Promise<void>;
}

/** @param start milliseconds since the epoch; late enough for the guide's token to be valid */
export function createManualClock(start: number = Date.UTC(2026, 0, 1)): ManualClock {
  interface Timer {
    readonly at: number;
    readonly run: () => void;
  }
  /** Monotonic time, and what to add to it for the time since the epoch. */
  let now = 0;
  let epoch = start;
  let timers: readonly Timer[] = [];
  const awaited: { readonly count: number; readonly resolve: () => void }[] = [];

  const runUntil = (end: number): void => {
    for (;;) {
      const [first] = timers;
      if (first === undefined || first.at > end) break;
      timers = timers.slice(1);
      now = Math.max(now, first.at);
      first.run();
    }
    now = Math.max(now, end);
  };

  return {
    now: () => epoch + now,
    monotonic: () => now,
    after(milliseconds, run) {
      const timer: Timer = { at: now + milliseconds, run };
      timers = [...timers, timer].sort((a, b) => a.at - b.at);
      for (const waiter of awaited) if (timers.length >= waiter.count) waiter.resolve();
      return () => {
        timers = timers.filter((other) => other !== timer);
      };
    },
    advance: (milliseconds) => runUntil(now + milliseconds),
    jump(milliseconds) {
      epoch += milliseconds;
    },
    next() {
      const [first] = timers;
      if (first === undefined) throw new Error('nothing waits for the clock');
      const took = first.at - now;
      runUntil(first.at);
      return took;
    },
    waiting: () => timers.map(({ at }) => at - now),
    armed(count = 1) {
      if (timers.length >= count) return Promise.resolve();
      const { promise, resolve } = Promise.withResolvers<void>();
      awaited.push({ count, resolve });
      return promise;
    },
  };
}
