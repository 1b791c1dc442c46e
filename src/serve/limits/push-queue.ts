import type { Clock } from '../../edges.ts';

/** Something that has changes to send. */
export interface Pushable {
  push(): void;
}

export interface PushQueueParts {
  /** Streams that are served before requests get their turn. */
  readonly slice: number;
  readonly clock: Clock;
  /** Told of each slice how many milliseconds its first stream, the one that waited longest, did since its change. */
  readonly waited: (milliseconds: number) => void;
}

/**
 * The streams that have something to send. Each waits in the queue once, however many changes reach it meanwhile, and
 * between two slices of the queue the requests that arrived are served: a push to a large fleet delays no request by
 * more than a slice, and no flood of requests keeps the queue from moving (rules A10, F3).
 */
export class PushQueue {
  readonly #parts: PushQueueParts;
  /** With each stream, since when it waits. */
  readonly #waiting = new Map<Pushable, number>();
  #scheduled: NodeJS.Immediate | undefined;
  #lastPush = Number.NEGATIVE_INFINITY;

  constructor(parts: PushQueueParts) {
    this.#parts = parts;
  }

  add(stream: Pushable): void {
    if (this.#waiting.has(stream)) return;
    this.#waiting.set(stream, this.#parts.clock.now());
    this.#scheduled ??= setImmediate(() => this.#run());
  }

  /** Whether a stream waits. */
  get busy(): boolean {
    return this.#waiting.size > 0;
  }

  /** When a stream was last told to send, in milliseconds since the epoch. */
  get lastPush(): number {
    return this.#lastPush;
  }

  delete(stream: Pushable): void {
    this.#waiting.delete(stream);
  }

  #run(): void {
    this.#scheduled = undefined;
    const { slice, clock, waited } = this.#parts;
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
