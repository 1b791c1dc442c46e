/**
 * Fair queueing (RFC 970): one FIFO queue per key, served round robin, in bounded memory. A key that floods fills its
 * own queue: another key waits for at most one item of each other key, and is not rejected while a queue exists that
 * is longer than its own will be.
 */
export class FairQueue<T extends object> {
  readonly #capacity: number;
  /** In the order of service. No queue is empty. */
  readonly #queues = new Map<string, Set<T>>();
  /** The queues of suspended keys; none is empty. */
  readonly #suspended = new Map<string, Set<T>>();
  #size = 0;

  /** @param capacity items of all keys together */
  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** Number of items, those of suspended keys included. */
  get size(): number {
    return this.#size;
  }

  /** The key that is served next; undefined when no item waits, or only those of suspended keys. */
  get nextKey(): string | undefined {
    const [key] = this.#queues.keys();
    return key;
  }

  /**
   * Adds an item; does nothing when it is in the queue of this key already.
   *
   * @returns the item that is rejected because the queue is full: the new one when no queue is longer than its own
   * will be, else the oldest of the longest queue; undefined when there is room
   */
  add(key: string, item: T): T | undefined {
    if (this.#queueOf(key)?.has(item) === true) return undefined;
    const rejected = this.#size < this.#capacity ? undefined : this.#makeRoom(key);
    if (this.#size >= this.#capacity) return item;
    const queue = this.#queueOf(key);
    if (queue === undefined) this.#queues.set(key, new Set([item]));
    else queue.add(item);
    this.#size += 1;
    return rejected;
  }

  /** Removes an item; does nothing when it is not in the queue. */
  delete(key: string, item: T): void {
    const queue = this.#queueOf(key);
    if (queue?.delete(item) !== true) return;
    this.#size -= 1;
    if (queue.size > 0) return;
    this.#queues.delete(key);
    this.#suspended.delete(key);
  }

  /** Takes the next item, round robin over the keys that are not suspended. */
  next(): T | undefined {
    const [entry] = this.#queues;
    if (entry === undefined) return undefined;
    const [key, queue] = entry;
    const [item] = queue;
    if (item === undefined) return undefined;
    this.delete(key, item);
    if (this.#queues.delete(key)) this.#queues.set(key, queue);
    return item;
  }

  /** Serves no item of a key that waits, also of later ones, until {@link resume}. */
  suspend(key: string): void {
    move(key, this.#queues, this.#suspended);
  }

  /** Serves the items of a suspended key again, after those of the keys that wait. */
  resume(key: string): void {
    move(key, this.#suspended, this.#queues);
  }

  #queueOf(key: string): Set<T> | undefined {
    return this.#queues.get(key) ?? this.#suspended.get(key);
  }

  /** Takes the oldest item of the longest queue, if that will still be longer than the queue of this key then. */
  #makeRoom(newcomer: string): T | undefined {
    let most = (this.#queueOf(newcomer)?.size ?? 0) + 1;
    let longest: string | undefined;
    for (const queues of [this.#queues, this.#suspended]) {
      for (const [key, { size }] of queues) {
        if (size <= most) continue;
        most = size;
        longest = key;
      }
    }
    if (longest === undefined) return undefined;
    const [oldest] = this.#queueOf(longest) ?? [];
    if (oldest !== undefined) this.delete(longest, oldest);
    return oldest;
  }
}

function move<T>(key: string, from: Map<string, T>, to: Map<string, T>): void {
  const value = from.get(key);
  if (value === undefined) return;
  from.delete(key);
  to.set(key, value);
}
