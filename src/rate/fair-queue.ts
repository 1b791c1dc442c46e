/**
 * Keys in a row that are served before their turn. Those that wait for it get a seventeenth of the service at least,
 * however many keys there are that were not seen before.
 */
const mostInFront = 16;

/**
 * Fair queueing (RFC 970): one FIFO queue per key, served round robin, in bounded memory. A key that floods fills its
 * own queue, and is not rejected while a queue exists that is longer than its own will be. A key that begins to wait is
 * served before the round, as the new flows of FQ-CoDel are (RFC 8290, section 4.2), so that one with a single item does
 * not wait for those that always have some; then it has its place in the round, which it keeps until its next turn, also
 * with nothing left, and so gains nothing by adding its items one by one.
 */
export class FairQueue<T extends object> {
  readonly #capacity: number;
  /** Those of keys that have not been served since they began to wait, in the order of service. None is empty. */
  readonly #first = new Map<string, Set<T>>();
  /** Those of the others, in the order of service. Those that are empty are forgotten when it is their turn. */
  readonly #round = new Map<string, Set<T>>();
  /** The queues of suspended keys; none is empty. */
  readonly #suspended = new Map<string, Set<T>>();
  #size = 0;
  /** Items of `#first` since the last one of `#round`, while that waits. */
  #inFront = 0;

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
    const [key] = this.#next().keys();
    return key;
  }

  /** What {@link next} would take. */
  get first(): T | undefined {
    const [queue] = this.#next().values();
    const [item] = queue ?? [];
    return item;
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
    if (queue === undefined) this.#first.set(key, new Set([item]));
    else queue.add(item);
    this.#size += 1;
    return rejected;
  }

  /** Removes an item; does nothing when it is not in the queue. */
  delete(key: string, item: T): void {
    const queue = this.#queueOf(key);
    if (queue?.delete(item) !== true) return;
    this.#size -= 1;
    if (this.#size === 0) this.#round.clear();
    if (queue.size > 0) return;
    this.#first.delete(key);
    this.#suspended.delete(key);
  }

  /** Takes the next item of the keys that are not suspended. */
  next(): T | undefined {
    const queues = this.#next();
    const [entry] = queues;
    if (entry === undefined) return undefined;
    const [key, queue] = entry;
    const [item] = queue;
    if (item === undefined) return undefined;
    this.#inFront = queues === this.#first && this.#round.size > 0 ? this.#inFront + 1 : 0;
    queues.delete(key);
    this.#round.set(key, queue);
    this.delete(key, item);
    return item;
  }

  /** Serves no item of a key that waits, also of later ones, until {@link resume}. */
  suspend(key: string): void {
    move(key, this.#first, this.#suspended);
    move(key, this.#round, this.#suspended);
  }

  /** Serves the items of a suspended key again, after those of the keys that wait. */
  resume(key: string): void {
    move(key, this.#suspended, this.#round);
  }

  #queueOf(key: string): Set<T> | undefined {
    return this.#first.get(key) ?? this.#round.get(key) ?? this.#suspended.get(key);
  }

  /** The queues of which the first one is served next. */
  #next(): Map<string, Set<T>> {
    for (const [key, { size }] of this.#round) {
      if (size > 0) break;
      this.#round.delete(key);
    }
    const isTurn = this.#first.size === 0 || this.#inFront >= mostInFront;
    return isTurn && this.#round.size > 0 ? this.#round : this.#first;
  }

  /** Takes the oldest item of the longest queue, if that will still be longer than the queue of this key then. */
  #makeRoom(newcomer: string): T | undefined {
    let most = (this.#queueOf(newcomer)?.size ?? 0) + 1;
    let longest: string | undefined;
    for (const queues of [this.#first, this.#round, this.#suspended]) {
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
