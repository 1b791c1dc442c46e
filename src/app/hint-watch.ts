import type { Clock, Logger, Stop } from '../edges.ts';
import type { Explainer, Finding } from '../explain/model.ts';

/** What one look at all objects found. */
export interface Hints {
  /**
   * By what is the same of a hint from one look to the next. One that was reported before stays among these for as long
   * as it holds, so that one that is missing is gone.
   */
  readonly found: ReadonlyMap<string, Finding>;
  /** Hints beyond {@link mostHints}. */
  readonly omitted: number;
}

/** Dependencies of a watch. */
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

/** Hints that are reported one by one; the others are counted. As many as other problems of one change. */
const mostHints = 20;

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
  #reported: ReadonlyMap<string, Finding> = new Map();

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
    const { explainer } = this.#parts;
    this.#continue({ hints: explainer.hints(), reported: this.#reported, found: new Map(), added: [], omitted: 0 });
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
    this.#ended();
  }

  async #report(look: Look): Promise<void> {
    const { signal } = this.#stopping;
    await this.#parts.report(look, signal);
    this.#reported = look.found;
    if (!signal.aborted) this.#ended();
  }

  #ended(): void {
    if (this.#state === 'stopped') return;
    const again = this.#state === 'looking again';
    this.#state = 'idle';
    if (again) this.changed();
  }
}

/** A look at all objects that is under way. */
interface Look {
  readonly hints: ReturnType<Explainer['hints']>;
  /** What the last look reported. */
  readonly reported: ReadonlyMap<string, Finding>;
  readonly found: Map<string, Finding>;
  /** The keys of those that were not reported before, in their order. */
  readonly added: string[];
  omitted: number;
}

/** Goes on for one turn. Returns true at the end. */
function advance(look: Look, clock: Clock): boolean {
  const { hints } = look;
  const until = clock.monotonic() + turn;
  for (let step = hints.next(); step.done !== true; step = hints.next()) {
    if (step.value !== undefined) add(look, step.value);
    if (clock.monotonic() >= until) return false;
  }
  // How many of those that were reported are left is known only now.
  while (look.found.size > mostHints) {
    look.found.delete(look.added.pop() ?? '');
    look.omitted += 1;
  }
  return true;
}

function add(look: Look, finding: Finding): void {
  const { reported, found, added } = look;
  const key = keyOf(finding);
  if (found.has(key)) return;
  const isNew = !reported.has(key);
  if (isNew && added.length >= mostHints) {
    look.omitted += 1;
    return;
  }
  if (isNew) added.push(key);
  found.set(key, finding);
}

function keyOf({ at, message }: Finding): string {
  return JSON.stringify([at, message]);
}
