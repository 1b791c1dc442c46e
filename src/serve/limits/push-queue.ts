import type { Clock } from '../../edges.ts';

/** A stream that has changes to send. */
export interface Pushable {
  push(): void;
}

/** The size of a slice, and what is reported of it. */
export interface PushQueueParts {
  /** Streams that are pushed in one iteration of the event loop. */
  readonly slice: number;
  readonly clock: Clock;
  /** Called for each slice with the milliseconds that its first stream has waited, the longest of the slice. */
  readonly waited: (milliseconds: number) => void;
}

/**
 * Queues the streams that have changes to send; further changes of a queued stream are merged. Requests are served
 * between two slices: a push to many nodes delays no request by more than a slice, and a flood of requests does not
 * stop the queue (rules A10, F3).
 */
export class PushQueue {
  readonly #parts: PushQueueParts;
  /** Each stream with the time at which it was queued, in milliseconds since the epoch. */
  readonly #waiting = new Map<Pushable, number>();
  #scheduled: NodeJS.Immediate | undefined;
  #lastPush = Number.NEGATIVE_INFINITY;

  constructor(parts: PushQueueParts) {
    this.#parts = parts;
  }

  add(stream: Pushable): void {
    if (this.#waiting.has(stream)) return;
    this.#waiting.set(stream, this.#parts.clock.monotonic());
    this.#scheduled ??= setImmediate(() => this.#run());
  }

  delete(stream: Pushable): void {
    this.#waiting.delete(stream);
  }

  /**
   * Returns whether a stream waits, or was pushed a moment ago. When the clock was set back, a push counts as long ago.
   *
   * @param milliseconds the length of that moment
   */
  busy(milliseconds: number): boolean {
    if (this.#waiting.size > 0) return true;
    return this.#parts.clock.monotonic() - this.#lastPush <= milliseconds;
  }

  #run(): void {
    this.#scheduled = undefined;
    const { slice, clock, waited } = this.#parts;
    const now = clock.monotonic();
    this.#lastPush = now;
    let left = slice;
    for (const [stream, since] of this.#waiting) {
      if (left === 0) break;
      if (left === slice) waited(now - since);
      left -= 1;
      this.#waiting.delete(stream);
      stream.push();
    }
    if (this.#waiting.size > 0) this.#scheduled ??= setImmediate(() => this.#run());
  }
}
