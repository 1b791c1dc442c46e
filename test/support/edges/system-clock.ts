import type { Clock } from '../../../src/edges.ts';

/** The clock of the machine, for tests in which time only has to pass by itself. */
export const systemClock: Clock = {
  now: () => Date.now(),
  after(milliseconds, run) {
    const timer = setTimeout(run, milliseconds);
    timer.unref();
    return () => clearTimeout(timer);
  },
};
