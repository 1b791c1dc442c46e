import type { Clock } from '../../../src/edges.ts';
import { systemClock } from './system-clock.ts';

/** The system clock, `speed` times as fast. */
export function createFastClock(speed: number): Clock {
  const start = systemClock.now();
  return {
    now: () => start + (systemClock.now() - start) * speed,
    monotonic: () => systemClock.monotonic() * speed,
    after: (milliseconds, run) => systemClock.after(milliseconds / speed, run),
  };
}
