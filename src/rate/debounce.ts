import { exhaustMap, Observable, race, repeat, startWith, switchMap, take } from 'rxjs';
import type { Clock } from '../edges.ts';

/** How long to wait for more before something is done, in milliseconds. */
export interface Quiet {
  /** Since the last event. */
  readonly idle: number;
  /** Since the first one that was not acted upon. */
  readonly ceiling: number;
}

/** Completes with one value after so many milliseconds. */
function after(clock: Clock, milliseconds: number): Observable<void> {
  return new Observable((subscriber) =>
    clock.after(milliseconds, () => {
      subscriber.next();
      subscriber.complete();
    }),
  );
}

/** A value every so many milliseconds. */
export function every(clock: Clock, milliseconds: number): Observable<void> {
  return after(clock, milliseconds).pipe(repeat());
}

/** One value for every burst of events: once it is over, or once it has lasted long enough. */
export function bursts(events: Observable<void>, { idle, ceiling }: Quiet, clock: Clock): Observable<void> {
  const quiet = events.pipe(
    startWith(undefined),
    switchMap(() => after(clock, idle)),
    take(1),
  );
  return events.pipe(exhaustMap(() => race(quiet, after(clock, ceiling))));
}
