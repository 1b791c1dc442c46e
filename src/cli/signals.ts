import type { Clock, Logger } from '../edges.ts';

/** What the process tells us of the outside world's wish to end it. */
export interface Signals {
  on(signal: Wish, listener: () => void): unknown;
  off(signal: Wish, listener: () => void): unknown;
}

/** SIGHUP: the terminal was closed. */
type Wish = 'SIGINT' | 'SIGTERM' | 'SIGHUP';

const wishes: readonly Wish[] = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/** A repeat within this time is the same wish: on a terminal one Ctrl-C can arrive twice, from the shell and from npm. */
const sameWish = 1_000;

/**
 * Settles with the first SIGINT, SIGTERM or SIGHUP. One more than a second later ends the process at once, through `hurry`;
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
  for (const wish of wishes) signals.on(wish, heard);
  return {
    asked: promise,
    release: () => {
      for (const wish of wishes) signals.off(wish, heard);
    },
  };
}
