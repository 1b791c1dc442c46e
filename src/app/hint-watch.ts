import type { Clock, Logger, Stop } from '../edges.ts';
import type { Explainer, Finding } from '../explain/model.ts';

/** What one look at all objects found. */
export interface Hints {
  /** By what is the same of a hint from one look to the next. */
  readonly found: ReadonlyMap<string, Finding>;
  /** Hints beyond {@link mostHints}. */
  readonly omitted: number;
}

export interface HintWatchParts {
  readonly explainer: Pick<Explainer, 'hints'>;
  /**
   * Handles each look. Looks go on when it has resolved; it must do nothing more once the signal is aborted.
   */
  readonly report: (hints: Hints, signal: AbortSignal) => Promise<void>;
  /** Milliseconds from a change to the look, and the shortest time between two looks. */
  readonly delay: number;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Milliseconds that a look takes of one turn of the event loop, and the pause after it: a fifth of one core. */
const turn = 5;
const pause = 20;

/** Hints that are reported one by one; the others are counted. */
const mostHints = 100;

/**
 * Looks for the hints about all objects when something has changed. That reads the whole world, which is done after the
 * commit and in short turns, so that it delays nothing that is sent.
 */
export class HintWatch {
  readonly #parts: HintWatchParts;
  readonly #stopping = new AbortController();
  #state: 'idle' | 'waiting' | 'looking' | 'looking again' | 'stopped' = 'idle';
  #cancel: Stop = () => undefined;
  #reporting: Promise<void> = Promise.resolve();

  constructor(parts: HintWatchParts) {
    this.#parts = parts;
  }

  /** Something changed. */
  changed(): void {
    if (this.#state === 'looking') this.#state = 'looking again';
    if (this.#state !== 'idle') return;
    this.#state = 'waiting';
    this.#cancel = this.#parts.clock.after(this.#parts.delay, () => this.#look());
  }

  /** Ends a look that is under way. */
  stop(): Promise<void> {
    this.#state = 'stopped';
    this.#stopping.abort();
    this.#cancel();
    return this.#reporting;
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
      else this.#reporting = this.#report(look).catch((error: unknown) => this.#failed(error));
    } catch (error) {
      this.#failed(error);
    }
  }

  /** A bug in an explanation must not stop what is served. */
  #failed(error: unknown): void {
    this.#parts.log.error('internal error: looking for hints failed', { error });
    if (this.#state !== 'stopped') this.#state = 'idle';
  }

  async #report(look: Look): Promise<void> {
    const { signal } = this.#stopping;
    await this.#parts.report(look, signal);
    if (signal.aborted) return;
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
    if (step.value !== undefined && found.size >= mostHints) look.omitted += 1;
    else if (step.value !== undefined) found.set(keyOf(step.value), step.value);
    if (clock.now() >= until) return false;
  }
  return true;
}

function keyOf({ at, message }: Finding): string {
  return JSON.stringify([at, message]);
}
