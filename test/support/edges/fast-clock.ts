import type { Clock } from '../../../src/edges.ts';
import { systemClock } from './system-clock.ts';

/** The machine's time, so many times as fast: what waits for seconds in production waits for tenths of them in a test. */
export function createFastClock(speed: number): Clock {
  const start = systemClock.now();
  return {
    now: () => start + (systemClock.now() - start) * speed,
    after: (milliseconds, run) => systemClock.after(milliseconds / speed, run),
  };
}
