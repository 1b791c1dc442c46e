import type { Clock } from '../edges.ts';

/** How long something may take, and what else ends it. */
export interface TimeLimit {
  readonly clock: Clock;
  readonly milliseconds: number;
  readonly signal?: AbortSignal;
}

/** Something took longer than it may. */
class TimeLimitError extends Error {
  override readonly name = 'TimeLimitError';

  constructor(milliseconds: number) {
    super(`no answer within ${milliseconds / 1000} s`);
  }
}

/**
 * Runs `run` with a signal that is aborted when the time is over or the outer signal is aborted. Settles no later than
 * that, whether or not `run` heeds its signal.
 */
export async function within<T>(limit: TimeLimit, run: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const { clock, milliseconds, signal: outer } = limit;
  const ended = new AbortController();
  const stopClock = clock.after(milliseconds, () => ended.abort(new TimeLimitError(milliseconds)));
  const follow = (): void => ended.abort(outer?.reason);
  outer?.addEventListener('abort', follow, { once: true });
  if (outer?.aborted === true) follow();
  try {
    return await untilAborted(ended.signal, run(ended.signal));
  } finally {
    stopClock();
    outer?.removeEventListener('abort', follow);
  }
}

/** The outcome of `promise`, or the signal's reason if that comes first. */
export async function untilAborted<T>(signal: AbortSignal, promise: Promise<T>): Promise<T> {
  let stop = (): void => {};
  const aborted = new Promise<never>((_resolve, reject) => {
    stop = () => signal.removeEventListener('abort', refuse);
    const refuse = (): void => reject(signal.reason);
    if (signal.aborted) refuse();
    else signal.addEventListener('abort', refuse, { once: true });
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    stop();
  }
}
