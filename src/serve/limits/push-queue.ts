import type { Clock } from '../../edges.ts';

/** A stream that has changes to send. */
export interface Pushable {
  push(): void;
}

export interface PushQueueOptions {
  /** Streams that are pushed in one iteration of the event loop. */
  readonly slice: number;
  readonly clock: Clock;
  /** Called for each slice with the milliseconds since the change of its first stream, which waited longest. */
  readonly waited: (milliseconds: number) => void;
}

/**
 * The streams that have something to send. A stream is in the queue once, however many changes reach it meanwhile. Requests
 * that arrived are served between two slices: a push to a large fleet delays no request by more than a slice, and a flood of
 * requests does not keep the queue from moving (rules A10, F3).
 */
export class PushQueue {
  readonly #options: PushQueueOptions;
  /** Each stream with the time since when it waits. */
  readonly #waiting = new Map<Pushable, number>();
  #scheduled: NodeJS.Immediate | undefined;
  #lastPush = Number.NEGATIVE_INFINITY;

  constructor(options: PushQueueOptions) {
    this.#options = options;
  }

  add(stream: Pushable): void {
    if (this.#waiting.has(stream)) return;
    this.#waiting.set(stream, this.#options.clock.now());
    this.#scheduled ??= setImmediate(() => this.#run());
  }

  delete(stream: Pushable): void {
    this.#waiting.delete(stream);
  }

  /**
   * Whether a stream waits or was pushed within so many milliseconds. A clock that was set back counts as a long time.
   *
   * @param milliseconds how far back to look
   */
  busy(milliseconds: number): boolean {
    if (this.#waiting.size > 0) return true;
    const since = this.#options.clock.now() - this.#lastPush;
    return since >= 0 && since <= milliseconds;
  }

  #run(): void {
    this.#scheduled = undefined;
    const { slice, clock, waited } = this.#options;
    const now = clock.now();
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
