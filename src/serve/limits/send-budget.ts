import type { Clock, Stop } from '../../edges.ts';
import type { Pushable } from './push-queue.ts';

export interface SendLimits {
  /** Bytes in flight to nodes that read. No large response is begun beyond this or `total`. Default 32 MiB. */
  readonly moving: number;
  /** Bytes in flight, those of stalled writes included. Default 256 MiB. */
  readonly total: number;
  /** Milliseconds after which an unfinished write counts as stalled. Default 1,000. */
  readonly stalledAfter: number;
  /** A response of fewer bytes is not limited. Default 32 KiB. */
  readonly small: number;
}

export const defaultSendLimits: SendLimits = {
  moving: 32 << 20,
  total: 256 << 20,
  stalledAfter: 1_000,
  small: 32 << 10,
};

/**
 * Limits the bytes of large responses in flight, over all streams. Streams share the bytes of a response until it is
 * written; from then on each has a copy, and a thousand first responses at once would be a thousand copies. Large
 * responses are written in FIFO order, small ones at once. A write that its node does not read counts as stalled after
 * a second and makes room for others, up to the total.
 */
export class SendBudget {
  readonly #clock: Clock;
  readonly #limits: SendLimits;
  #moving = 0;
  #stalled = 0;
  readonly #waiting = new Set<Pushable>();
  /** The stream that is being pushed because there is room for it. */
  #resuming: Pushable | undefined;

  constructor(clock: Clock, limits: SendLimits) {
    this.#clock = clock;
    this.#limits = limits;
  }

  /** Returns whether a response of this size may be written now. If not, `stream` is queued until there is room. */
  hasRoom(stream: Pushable, bytes: number): boolean {
    if (bytes < this.#limits.small) return true;
    const first = this.#waiting.size === 0 || this.#resuming === stream;
    if (first && this.#fits()) return true;
    this.#waiting.add(stream);
    return false;
  }

  /**
   * Counts a response that is being written. Returns the function to call when its bytes have left; undefined for a
   * small one.
   */
  begin(bytes: number): Stop | undefined {
    if (bytes < this.#limits.small) return undefined;
    this.#moving += bytes;
    let release = (): void => {
      this.#moving -= bytes;
    };
    const stopTimer = this.#clock.after(this.#limits.stalledAfter, () => {
      release();
      this.#stalled += bytes;
      release = () => {
        this.#stalled -= bytes;
      };
      this.#resumeNext();
    });
    return () => {
      stopTimer();
      release();
      release = alreadyReleased;
      this.#resumeNext();
    };
  }

  delete(stream: Pushable): void {
    this.#waiting.delete(stream);
  }

  #fits(): boolean {
    const { moving, total } = this.#limits;
    return this.#moving < moving && this.#moving + this.#stalled < total;
  }

  #resumeNext(): void {
    // A pushed stream may end and so make room; the outer loop sees that.
    if (this.#resuming !== undefined) return;
    for (const stream of this.#waiting) {
      if (!this.#fits()) break;
      this.#waiting.delete(stream);
      this.#resuming = stream;
      stream.push();
      this.#resuming = undefined;
    }
  }
}

const alreadyReleased = (): void => {};
