import type { Clock, Stop } from '../../edges.ts';
import type { Pushable } from './push-queue.ts';

/** Limits of responses that one stream alone has. */
export interface SendLimits {
  /** Bytes in flight to nodes that answer. No large response is begun beyond this or `total`. Default 32 MiB. */
  readonly moving: number;
  /** Bytes in flight, those of stalled responses included. Default 128 MiB. */
  readonly total: number;
  /** Milliseconds after which an unanswered response counts as stalled. Default 1,000. */
  readonly stalledAfter: number;
  /** A response of fewer bytes is not limited. Default 32 KiB. */
  readonly small: number;
}

/** The defaults that docs/limits.md lists. */
export const defaultSendLimits: SendLimits = {
  moving: 32 << 20,
  total: 128 << 20,
  stalledAfter: 1_000,
  small: 32 << 10,
};

/**
 * Limits the bytes of large responses that no other stream shares, over all streams, from before they are built until
 * they are answered. A node that adds a name of its own to the wildcard gets such a response, as large as all targets. Large
 * responses are built in FIFO order, small ones at once. One that its node does not answer counts as stalled after a
 * second and makes room for others, up to the total.
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

  /**
   * Reserves room for a response that is to be built. Returns the function to call when it is answered or gone; undefined
   * when there is no room: `stream` is then pushed once there is.
   */
  reserve(stream: Pushable, bytes: number): Stop | undefined {
    if (bytes < this.#limits.small) return nothingReserved;
    const first = this.#waiting.size === 0 || this.#resuming === stream;
    if (first && this.#fits()) return this.#begin(bytes);
    this.#waiting.add(stream);
    return undefined;
  }

  delete(stream: Pushable): void {
    this.#waiting.delete(stream);
  }

  #begin(bytes: number): Stop {
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
      release = nothingReserved;
      this.#resumeNext();
    };
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

const nothingReserved = (): void => {};
