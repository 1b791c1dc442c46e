/**
 * Fair queueing (RFC 970): one FIFO queue per key, served round robin, in bounded memory. A key that floods fills its
 * own queue: another key waits for at most one item of each other key, and is not rejected while a queue exists that
 * is longer than its own will be.
 */
export class FairQueue<T extends object> {
  readonly #capacity: number;
  /** In the order of service. No queue is empty. */
  readonly #queues = new Map<string, Set<T>>();
  #size = 0;

  /** @param capacity items of all keys together */
  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get size(): number {
    return this.#size;
  }

  /** The keys that wait, in the order of service. */
  keys(): Iterable<string> {
    return this.#queues.keys();
  }

  /**
   * Adds an item.
   *
   * @returns the item that is rejected because the queue is full: the new one when no queue is longer than its own
   * will be, else the oldest of the longest queue; undefined when there is room
   */
  add(key: string, item: T): T | undefined {
    const rejected = this.#size < this.#capacity ? undefined : this.#makeRoom(key);
    if (this.#size >= this.#capacity) return item;
    const queue = this.#queues.get(key) ?? new Set();
    this.#queues.set(key, queue.add(item));
    this.#size += 1;
    return rejected;
  }

  /** Removes an item; does nothing when it is not in the queue. */
  delete(key: string, item: T): void {
    const queue = this.#queues.get(key);
    if (queue?.delete(item) !== true) return;
    this.#size -= 1;
    if (queue.size === 0) this.#queues.delete(key);
  }

  /**
   * Takes the next item, round robin over the keys that are eligible.
   *
   * @param eligible whether a key may be served now; by default every key is
   */
  next(eligible: (key: string) => boolean = always): T | undefined {
    for (const [key, queue] of this.#queues) {
      if (!eligible(key)) continue;
      const [item] = queue;
      if (item === undefined) continue;
      this.delete(key, item);
      if (this.#queues.delete(key)) this.#queues.set(key, queue);
      return item;
    }
    return undefined;
  }

  /** Takes the oldest item of the longest queue, if that will still be longer than the queue of this key then. */
  #makeRoom(newcomer: string): T | undefined {
    let most = (this.#queues.get(newcomer)?.size ?? 0) + 1;
    let longest: string | undefined;
    for (const [key, { size }] of this.#queues) {
      if (size <= most) continue;
      most = size;
      longest = key;
    }
    if (longest === undefined) return undefined;
    const [oldest] = this.#queues.get(longest) ?? [];
    if (oldest !== undefined) this.delete(longest, oldest);
    return oldest;
  }
}

const always = (): boolean => true;
