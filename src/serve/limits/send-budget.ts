import type { Clock, Stop } from '../../edges.ts';
import type { Pushable } from './push-queue.ts';

export interface WriteLimits {
  /** Bytes that may be on their way to nodes which take them. Default 32 MiB. */
  readonly moving: number;
  /** The same with nodes that do not: nothing large is begun beyond. Default 256 MiB. */
  readonly total: number;
  /** Milliseconds after which a write counts as one that is not taken. Default 1,000. */
  readonly patience: number;
  /** A response of fewer bytes is sent without asking. Default 32 KiB. */
  readonly small: number;
}

export const defaultWriteLimits: WriteLimits = {
  moving: 32 << 20,
  total: 256 << 20,
  patience: 1_000,
  small: 32 << 10,
};

/**
 * How many bytes of large responses may be on their way at once, over all streams. Nodes share the bytes of a response
 * until it is written; then each has a copy, and a thousand first answers at once would be a thousand copies. So large
 * responses take turns, first come, first served, while what is small goes out at once. A node that does not take what
 * was written stops counting among those that do after a while: it holds nobody up, until there are so many like it
 * that memory would be at stake.
 */
export class WriteBudget {
  readonly #clock: Clock;
  readonly #limits: WriteLimits;
  #moving = 0;
  #stuck = 0;
  readonly #waiting = new Set<Pushable>();
  /** Whose turn it is. */
  #called: Pushable | undefined;

  constructor(clock: Clock, limits: WriteLimits) {
    this.#clock = clock;
    this.#limits = limits;
  }

  /** Whether a response of so many bytes may be written now. When not, `stream` is pushed once it may try again. */
  room(stream: Pushable, bytes: number): boolean {
    if (bytes < this.#limits.small) return true;
    const turn = this.#waiting.size === 0 || this.#called === stream;
    if (turn && this.#fits()) return true;
    this.#waiting.add(stream);
    return false;
  }

  /** Tells that so many bytes are being written; the answer, if any, is to be called when they are gone. */
  begin(bytes: number): Stop | undefined {
    if (bytes < this.#limits.small) return undefined;
    this.#moving += bytes;
    let gone = (): void => {
      this.#moving -= bytes;
    };
    const stopTimer = this.#clock.after(this.#limits.patience, () => {
      gone();
      this.#stuck += bytes;
      gone = () => {
        this.#stuck -= bytes;
      };
      this.#callNext();
    });
    return () => {
      stopTimer();
      gone();
      gone = nothing;
      this.#callNext();
    };
  }

  delete(stream: Pushable): void {
    this.#waiting.delete(stream);
  }

  #fits(): boolean {
    const { moving, total } = this.#limits;
    return this.#moving < moving && this.#moving + this.#stuck < total;
  }

  #callNext(): void {
    // Whoever is called may end and so give room: it is used when the turn comes back here.
    if (this.#called !== undefined) return;
    for (const stream of this.#waiting) {
      if (!this.#fits()) break;
      this.#waiting.delete(stream);
      this.#called = stream;
      stream.push();
      this.#called = undefined;
    }
  }
}

const nothing = (): void => {};
