import type { Clock, Logger } from './edges.ts';

/** What the process tells us of the outside world's wish to end it. */
export interface Signals {
  on(signal: 'SIGINT' | 'SIGTERM', listener: () => void): unknown;
  off(signal: 'SIGINT' | 'SIGTERM', listener: () => void): unknown;
}

/** A repeat within this time is the same wish: on a terminal one Ctrl-C can arrive twice, from the shell and from npm. */
const sameWish = 1_000;

/**
 * Settles with the first SIGINT or SIGTERM. One more than a second later ends the process at once, through `hurry`;
 * `release` stops listening.
 */
export function untilSignal(
  signals: Signals,
  parts: { readonly clock: Clock; readonly log: Logger; readonly hurry: () => void },
): { readonly asked: Promise<void>; readonly release: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  let first: number | undefined;
  const heard = (): void => {
    const now = parts.clock.now();
    if (first === undefined) {
      first = now;
      resolve();
    } else if (now - first > sameWish) {
      parts.log.warn('asked again: stopping at once');
      parts.hurry();
    }
  };
  signals.on('SIGINT', heard);
  signals.on('SIGTERM', heard);
  return {
    asked: promise,
    release: () => {
      signals.off('SIGINT', heard);
      signals.off('SIGTERM', heard);
    },
  };
}
