import type { Clock, Stop } from '../../edges.ts';
import type { Quiet } from '../../rate/debounce.ts';

type State =
  | { readonly at: 'idle' }
  /** Something was done a moment ago; what comes now waits for more. */
  | { readonly at: 'gathering'; readonly quiet: Stop; readonly ceiling: Stop | undefined };

/**
 * Acts on the first of many events at once, and on those that follow together: once nothing more came for a while, or
 * once the first of them has waited long enough.
 */
export class Gathering {
  readonly #quiet: Quiet;
  readonly #clock: Clock;
  readonly #act: () => void;
  #state: State = { at: 'idle' };

  constructor(quiet: Quiet, clock: Clock, act: () => void) {
    this.#quiet = quiet;
    this.#clock = clock;
    this.#act = act;
  }

  /** Something has happened. */
  mark(): void {
    const state = this.#state;
    if (state.at === 'idle') {
      // First the state: what is done may make something happen.
      this.#state = { at: 'gathering', quiet: this.#afterQuiet(), ceiling: undefined };
      this.#act();
      return;
    }
    state.quiet();
    const ceiling = state.ceiling ?? this.#clock.after(this.#quiet.ceiling, () => this.#over());
    this.#state = { at: 'gathering', quiet: this.#afterQuiet(), ceiling };
  }

  /** Nothing that was not acted upon is acted upon any more. */
  stop(): void {
    this.#calm();
  }

  #afterQuiet(): Stop {
    return this.#clock.after(this.#quiet.idle, () => this.#over());
  }

  #over(): void {
    const waiting = this.#state.at === 'gathering' && this.#state.ceiling !== undefined;
    this.#calm();
    if (waiting) this.mark();
  }

  #calm(): void {
    if (this.#state.at === 'gathering') {
      this.#state.quiet();
      this.#state.ceiling?.();
    }
    this.#state = { at: 'idle' };
  }
}
