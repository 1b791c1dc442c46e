import type { Clock } from '../edges.ts';
import { RateLimiter } from './rate-limiter.ts';

/** Lines about one change: an author can make thousands with one edit. */
const ofChange = 20;

/** The same of all changes, at once and per second: whoever changes something without an end brings some each time. */
const ofAll = { rate: 1, burst: 60 } as const;

/** Bounds the lines of the log about changes of the input. Those that are left out are counted, which is a line, too. */
export class BoundedLines {
  /** Undefined: only the lines about one change are bounded. */
  readonly #limiter: RateLimiter | undefined;
  readonly #say: (leftOut: number) => void;
  #left = ofChange;
  #leftOut = 0;

  /**
   * @param clock absent where everything is read once
   * @param say logs how many lines were left out since it was called last
   */
  constructor(clock: Clock | undefined, say: (leftOut: number) => void) {
    this.#limiter = clock && new RateLimiter(clock, ofAll);
    this.#say = say;
  }

  /** Returns whether a line may be written. When one may not, none of those that follow about this change may. */
  admit(): boolean {
    // The last one is for the line that counts.
    if (this.#left > 0 && (this.#limiter?.delay(2) ?? 0) === 0) {
      this.#left -= 1;
      this.#limiter?.reserve();
      return true;
    }
    this.#left = 0;
    this.#leftOut += 1;
    return false;
  }

  /** The change is complete: says what was left out of it and of those before it, unless that was said within a second. */
  endChange(): void {
    this.#left = ofChange;
    if (this.#leftOut === 0 || (this.#limiter?.tryTake() ?? 0) > 0) return;
    this.#say(this.#leftOut);
    this.#leftOut = 0;
  }
}
