import type { Clock, Stop } from '../edges.ts';

/** Timers of the platform count milliseconds in 31 bits and fire at once beyond that: 24 days, less than tokens live. */
const longest = 2 ** 31 - 1;

/** Calls `run` at a time in milliseconds since the epoch, however far away; at once when it has passed. */
export function at(clock: Clock, when: number, run: () => void): Stop {
  let stop: Stop = () => {};
  const wait = (): void => {
    const left = when - clock.now();
    stop = left > longest ? clock.after(longest, wait) : clock.after(Math.max(0, left), run);
  };
  wait();
  return () => stop();
}

/** Calls `run` again and again, every `milliseconds`, until stopped. */
export function every(clock: Clock, milliseconds: number, run: () => void): Stop {
  let stop: Stop = () => {};
  const wait = (): void => {
    stop = clock.after(milliseconds, () => {
      wait();
      run();
    });
  };
  wait();
  return () => stop();
}
