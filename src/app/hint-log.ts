import type { Clock, Logger, Stop } from '../edges.ts';
import type { Explainer, Finding, Place } from '../explain/model.ts';
import { pathText } from '../resources/resources.ts';

export interface HintLogParts {
  readonly explainer: Pick<Explainer, 'hints'>;
  /** Finds the place of each field; undefined for an object that is gone. */
  readonly placesOf: (
    fields: readonly { readonly object: string; readonly path: Place['path'] }[],
  ) => Promise<readonly (string | undefined)[]>;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Milliseconds from a change to the look at all objects: at most one look a second, and none while changes are sent. */
const delay = 1000;

/** Milliseconds that a look takes of one turn of the event loop, and the pause after it: a fifth of one core. */
const turn = 5;
const pause = 20;

/** Hints that are logged one by one; the others are counted. */
const mostLogged = 100;

/**
 * Logs the hints about all objects: each once when it appears, and once when it is gone. Looking for them reads the
 * whole world, which is done after the commit and in short turns, so that it delays nothing that is sent.
 */
export class HintLog {
  readonly #parts: HintLogParts;
  #logged: ReadonlyMap<string, Finding> = new Map();
  #omitted = 0;
  #state: 'idle' | 'waiting' | 'looking' | 'looking again' | 'stopped' = 'idle';
  #cancel: Stop = () => undefined;
  #locating: Promise<void> = Promise.resolve();

  constructor(parts: HintLogParts) {
    this.#parts = parts;
  }

  /** Something changed. */
  changed(): void {
    if (this.#state === 'looking') this.#state = 'looking again';
    if (this.#state !== 'idle') return;
    this.#state = 'waiting';
    this.#cancel = this.#parts.clock.after(delay, () => this.#look());
  }

  /** Ends a look that is under way. */
  stop(): Promise<void> {
    this.#state = 'stopped';
    this.#cancel();
    return this.#locating;
  }

  #look(): void {
    this.#state = 'looking';
    this.#continue({ hints: this.#parts.explainer.hints(), found: new Map(), omitted: 0 });
  }

  /** Continues a look for one turn. Objects may change between turns: that is followed by another look. */
  #continue(look: Look): void {
    const { clock } = this.#parts;
    try {
      if (!advance(look, clock)) this.#cancel = clock.after(pause, () => this.#continue(look));
      else this.#locating = this.#report(look).catch((error: unknown) => this.#failed(error));
    } catch (error) {
      this.#failed(error);
    }
  }

  /** A bug in an explanation must not stop what is served. */
  #failed(error: unknown): void {
    this.#parts.log.error('internal error: looking for hints failed', { error });
    if (this.#state !== 'stopped') this.#state = 'idle';
  }

  async #report({ found, omitted }: Look): Promise<void> {
    const { log, placesOf } = this.#parts;
    const appeared = [...found].filter(([key]) => !this.#logged.has(key)).map(([, hint]) => hint);
    const places = await placesOf(appeared.map(({ at }) => ({ object: objectOf(at), path: at.path })));
    if (this.#state === 'stopped') return;
    for (const [n, { at, message }] of appeared.entries()) {
      log.warn(message, { place: places[n], object: objectOf(at), field: pathText(at.path) });
    }
    for (const [key, { at, message }] of this.#logged) {
      if (!found.has(key))
        log.info('a hint is gone', { object: objectOf(at), field: pathText(at.path), hint: message });
    }
    if (omitted > 0 && omitted !== this.#omitted) {
      log.warn('there are more hints than are logged: gatehouse check lists them', { more: omitted });
    }
    this.#logged = found;
    this.#omitted = omitted;
    const again = this.#state === 'looking again';
    this.#state = 'idle';
    if (again) this.changed();
  }
}

/** A look at all objects that is under way. */
interface Look {
  readonly hints: ReturnType<Explainer['hints']>;
  readonly found: Map<string, Finding>;
  omitted: number;
}

/** Goes on for one turn. Returns true at the end. */
function advance(look: Look, clock: Clock): boolean {
  const { hints, found } = look;
  const until = clock.now() + turn;
  for (let step = hints.next(); step.done !== true; step = hints.next()) {
    if (step.value !== undefined && found.size >= mostLogged) look.omitted += 1;
    else if (step.value !== undefined) found.set(keyOf(step.value), step.value);
    if (clock.now() >= until) return false;
  }
  return true;
}

function objectOf({ kind, key }: Place): string {
  return `${kind} ${key}`;
}

function keyOf({ at, message }: Finding): string {
  return JSON.stringify([at, message]);
}
