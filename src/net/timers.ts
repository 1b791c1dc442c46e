import type { Clock, Stop } from '../edges.ts';

/** The longest delay of a timer of Node, in milliseconds (31 bits, 24.8 days); a longer one fires at once. */
const maxDelay = 2 ** 31 - 1;

/** Calls `run` once at a time in milliseconds since the epoch, which may be any time ahead; at once when it is past. */
export function at(clock: Clock, when: number, run: () => void): Stop {
  let stop: Stop = () => {};
  const wait = (): void => {
    const left = when - clock.now();
    stop = left > maxDelay ? clock.after(maxDelay, wait) : clock.after(Math.max(0, left), run);
  };
  wait();
  return () => stop();
}

/** Calls `run` at an interval in milliseconds, first after one interval, until it is stopped. */
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

/** Resolves after a time; rejects with the signal's reason when that is aborted before. */
export function pause(clock: Clock, milliseconds: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const abort = (): void => {
    stop();
    reject(signal.reason);
  };
  const stop = clock.after(milliseconds, () => {
    signal.removeEventListener('abort', abort);
    resolve();
  });
  if (signal.aborted) abort();
  else signal.addEventListener('abort', abort, { once: true });
  return promise;
}
