import type { Clock, Logger } from '../edges.ts';
import type { Finding, Place } from '../explain/model.ts';
import { BoundedLines } from '../rate/bounded-lines.ts';
import { pathText } from '../resources/resources.ts';
import type { HintWatchParts } from './hint-watch.ts';

/** Where hints are logged, with their places. */
export interface HintLogParts {
  /** Finds the place of each field; undefined for an object that is gone. */
  readonly placesOf: (
    fields: readonly { readonly object: string; readonly path: Place['path'] }[],
  ) => Promise<readonly (string | undefined)[]>;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Creates a report of hints that logs each once when it appears, and once when it is gone, within {@link BoundedLines}. */
export function hintLog({ placesOf, clock, log }: HintLogParts): HintWatchParts['report'] {
  let logged: ReadonlyMap<string, Finding> = new Map();
  let omittedBefore = 0;
  const lines = new BoundedLines(clock, (more) =>
    log.warn('more hints have appeared or are gone than are logged: gatehouse check lists all', { more }),
  );
  return async ({ found, omitted }, signal) => {
    const appeared = [...found].filter(([key]) => !logged.has(key)).map(([, hint]) => hint);
    const places = await placesOf(appeared.map(({ at }) => ({ object: objectOf(at), path: at.path })));
    if (signal.aborted) return;
    for (const [n, { at, message }] of appeared.entries()) {
      if (lines.admit()) log.warn(message, { place: places[n], object: objectOf(at), field: pathText(at.path) });
    }
    for (const [key, { at, message }] of logged) {
      if (!found.has(key) && lines.admit())
        log.info('a hint is gone', { object: objectOf(at), field: pathText(at.path), hint: message });
    }
    if (omitted > 0 && omitted !== omittedBefore) {
      log.warn('there are more hints than are logged: gatehouse check lists them', { more: omitted });
    }
    lines.endChange();
    logged = found;
    omittedBefore = omitted;
  };
}

function objectOf({ kind, key }: Place): string {
  return `${kind} ${key}`;
}
