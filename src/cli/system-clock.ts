import type { Clock } from '../edges.ts';

/** The system's time and timers. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after: (milliseconds, run) => {
    // Whole, as Node's lists of timers are named: it finds the list of a timer that is stopped by its own duration.
    const timer = setTimeout(run, Math.ceil(milliseconds));
    timer.unref();
    return () => {
      // Node keeps the list of a duration until it has passed, unless its last timer is stopped while it has a reference
      // (`unenroll` in lib/internal/timers.js). A timer for the end of a token has a duration of its own with each call.
      timer.ref();
      clearTimeout(timer);
    };
  },
};
