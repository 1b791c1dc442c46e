import { stat } from 'node:fs/promises';
import type { ManualClock } from './manual-clock.ts';

/** Runs the timers of what looks at files at an interval, each after the last look has read them, until this settles. */
export async function lookUntil(clock: ManualClock, seen: Promise<unknown>): Promise<void> {
  let done = false;
  void seen.then(() => {
    done = true;
  });
  while (!done) {
    if (clock.waiting().length > 0) clock.next();
    // As many ways to the disk as a look takes.
    for (let way = 0; way < 6; way += 1) await stat('.');
  }
}
