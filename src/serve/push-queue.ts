/** Something that has changes to send. */
export interface Pushable {
  push(): void;
}

/**
 * The streams that have something to send. Each waits in the queue once, however many changes reach it meanwhile, and
 * between two slices of the queue the requests that arrived are served: a push to a large fleet delays no request by
 * more than a slice, and no flood of requests keeps the queue from moving (rules A10, F3).
 */
export class PushQueue {
  readonly #slice: number;
  readonly #waiting = new Set<Pushable>();
  #scheduled: NodeJS.Immediate | undefined;

  /** @param slice streams that are served before requests get their turn */
  constructor(slice: number) {
    this.#slice = slice;
  }

  add(stream: Pushable): void {
    this.#waiting.add(stream);
    this.#scheduled ??= setImmediate(() => this.#run());
  }

  delete(stream: Pushable): void {
    this.#waiting.delete(stream);
  }

  #run(): void {
    this.#scheduled = undefined;
    let left = this.#slice;
    for (const stream of this.#waiting) {
      if (left === 0) break;
      left -= 1;
      this.#waiting.delete(stream);
      stream.push();
    }
    if (this.#waiting.size > 0) this.#scheduled ??= setImmediate(() => this.#run());
  }
}
