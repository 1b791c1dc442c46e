import { audit, defer, EMPTY, exhaustMap, ignoreElements, merge, Observable, of, repeat, startWith, tap } from 'rxjs';
import type { Clock, Stop } from '../edges.ts';

/** Debounce intervals, in milliseconds. */
export interface DebounceOptions {
  /** Time without an event after which a burst is over. */
  readonly idle: number;
  /** Maximum delay of an event. */
  readonly ceiling: number;
}

/**
 * Debounces on the trailing edge: one value per burst of events, once there was none for `idle` or the first has waited
 * for `ceiling`. An event that a subscriber causes synchronously begins the next burst.
 *
 * @param events hot: it is subscribed to once per burst
 */
export function debounce(events: Observable<void>, options: DebounceOptions, clock: Clock): Observable<void> {
  return events.pipe(audit(() => burstEnd(events.pipe(startWith(undefined)), options, clock)));
}

/**
 * Debounces on both edges: the first event after an idle time is passed on at once, those that follow as one value per
 * burst, as in {@link debounce}.
 *
 * @param events hot: it is subscribed to once per burst
 */
export function debounceLeading(events: Observable<void>, options: DebounceOptions, clock: Clock): Observable<void> {
  const bursts = defer(() => {
    let held = false;
    const hold = events.pipe(
      tap(() => {
        held = true;
      }),
    );
    const burst = defer(() => {
      held = false;
      // Subscribes before it emits: a subscriber may cause the next event synchronously.
      return merge(burstEnd(hold, options, clock).pipe(ignoreElements()), of(undefined));
    });
    return burst.pipe(repeat({ delay: () => (held ? of(undefined) : EMPTY) }));
  });
  return events.pipe(exhaustMap(() => bursts));
}

/**
 * Emits once: after `idle` without an event, the subscription counting as one, or `ceiling` after the first event. An
 * event costs no timer: a folder can bring ten thousand of them in one turn of the event loop.
 */
function burstEnd(events: Observable<void>, { idle, ceiling }: DebounceOptions, clock: Clock): Observable<void> {
  return new Observable((subscriber) => {
    let last = clock.monotonic();
    const check = (): void => {
      const left = last + idle - clock.monotonic();
      if (left > 0) stopIdle = clock.after(left, check);
      else end();
    };
    const end = (): void => {
      subscriber.next();
      subscriber.complete();
    };
    let stopIdle = clock.after(idle, check);
    let stopCeiling: Stop | undefined;
    subscriber.add(() => {
      stopIdle();
      stopCeiling?.();
    });
    subscriber.add(
      events.subscribe(() => {
        last = clock.monotonic();
        stopCeiling ??= clock.after(ceiling, end);
      }),
    );
  });
}
