import type { Clock } from '../../../src/edges.ts';

/** A clock that stands until a test moves it, and that says when something waits for it. */
export interface ManualClock extends Clock {
  /** Lets time pass and calls, in their order, everything that is due in it. */
  advance(milliseconds: number): void;
  /** Lets time pass until the next thing is due, and does it; answers how many milliseconds that took. */
  next(): number;
  /** The milliseconds until each thing that waits, the nearest first. */
  waiting(): readonly number[];
  /** Settles once `count` things wait. */
  armed(count?: number): Promise<void>;
}

/** @param start milliseconds since the epoch; late enough for the guide's token to be valid */
export function createManualClock(start: number = Date.UTC(2026, 0, 1)): ManualClock {
  interface Timer {
    readonly at: number;
    readonly run: () => void;
  }
  let now = start;
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
    now: () => now,
    after(milliseconds, run) {
      const timer: Timer = { at: now + milliseconds, run };
      timers = [...timers, timer].sort((a, b) => a.at - b.at);
      for (const waiter of awaited) if (timers.length >= waiter.count) waiter.resolve();
      return () => {
        timers = timers.filter((other) => other !== timer);
      };
    },
    advance: (milliseconds) => runUntil(now + milliseconds),
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
