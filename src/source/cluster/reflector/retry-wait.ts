import type { Clock, Stop } from '../../../edges.ts';

/** How long to wait, and what ends the wait before. */
export interface RetryWait {
  readonly milliseconds: number;
  readonly clock: Clock;
  /** Calls the function when the server came back from an outage, until it is stopped. */
  readonly onRecovery: (run: () => void) => Stop;
  readonly stop: AbortSignal;
}

/**
 * Waits before a retry. Revocation is urgent: the first request of any kind that succeeds after an outage ends the wait
 * of every reflector.
 *
 * @returns true when it is time, false as soon as `stop` is aborted
 */
export function retryWait({ milliseconds, clock, onRecovery, stop }: RetryWait): Promise<boolean> {
  if (stop.aborted) return Promise.resolve(false);
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const isTime = (): void => resolve(true);
  const ends: readonly Stop[] = [clock.after(milliseconds, isTime), onRecovery(isTime)];
  const stopped = (): void => resolve(false);
  stop.addEventListener('abort', stopped, { once: true });
  return promise.finally(() => {
    stop.removeEventListener('abort', stopped);
    for (const end of ends) end();
  });
}
