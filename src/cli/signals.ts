import type { Clock, Logger } from '../edges.ts';

/** The signal events of a process. */
export interface Signals {
  on(signal: StopSignal, listener: () => void): unknown;
  off(signal: StopSignal, listener: () => void): unknown;
}

/** SIGHUP: the terminal was closed. */
type StopSignal = 'SIGINT' | 'SIGTERM' | 'SIGHUP';

const stopSignals: readonly StopSignal[] = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/** Milliseconds in which a repeated signal is ignored: one Ctrl-C can arrive twice, from the shell and from npm. */
const ignoreRepeats = 1_000;

/** A wait for a signal. */
export interface SignalWait {
  /** Resolves at the first signal. */
  readonly signalled: Promise<void>;
  /** Removes the listeners. */
  release(): void;
}

/**
 * Waits for SIGINT, SIGTERM or SIGHUP.
 *
 * @param parts `forceExit` is called at each further signal more than a second after the first one
 */
export function waitForSignal(
  signals: Signals,
  { clock, log, forceExit }: { readonly clock: Clock; readonly log: Logger; readonly forceExit: () => void },
): SignalWait {
  const { promise, resolve } = Promise.withResolvers<void>();
  let first: number | undefined;
  const handle = (): void => {
    const now = clock.monotonic();
    if (first === undefined) {
      first = now;
      resolve();
    } else if (now - first > ignoreRepeats) {
      log.warn('asked again: stopping at once');
      forceExit();
    }
  };
  for (const signal of stopSignals) signals.on(signal, handle);
  return {
    signalled: promise,
    release: () => {
      for (const signal of stopSignals) signals.off(signal, handle);
    },
  };
}
