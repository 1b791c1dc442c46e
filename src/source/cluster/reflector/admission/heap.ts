/** A binary heap whose last item by the order is taken first. In order only once something is asked for. */
export class Heap<T> {
  readonly #compare: (one: T, other: T) => number;
  readonly #items: T[] = [];
  #ordered = false;

  constructor(compare: (one: T, other: T) => number) {
    this.#compare = compare;
  }

  get size(): number {
    return this.#items.length;
  }

  add(item: T): void {
    this.#items.push(item);
    if (this.#ordered) this.#rise(this.#items.length - 1);
  }

  /** The item that is taken next. */
  peek(): T | undefined {
    if (!this.#ordered) for (let at = this.#items.length >> 1; at >= 0; at -= 1) this.#sink(at);
    this.#ordered = true;
    return this.#items[0];
  }

  take(): T | undefined {
    const first = this.peek();
    const last = this.#items.pop();
    if (last !== undefined && this.#items.length > 0) {
      this.#items[0] = last;
      this.#sink(0);
    }
    return first;
  }

  /** Forgets the items of which this is false. */
  retain(isKept: (item: T) => boolean): void {
    const kept = this.#items.filter(isKept);
    this.#items.length = 0;
    for (const item of kept) this.#items.push(item);
    this.#ordered = false;
  }

  #rise(from: number): void {
    let at = from;
    while (at > 0 && this.#swapIfLater(at, (at - 1) >> 1)) at = (at - 1) >> 1;
  }

  #sink(from: number): void {
    for (let at = from; ; ) {
      const [left, right] = [2 * at + 1, 2 * at + 2];
      const later = this.#isLater(right, left) ? right : left;
      if (!this.#swapIfLater(later, at)) return;
      at = later;
    }
  }

  /** Swaps the item with the one above it if it comes later. */
  #swapIfLater(at: number, above: number): boolean {
    if (!this.#isLater(at, above)) return false;
    const [item, parent] = [this.#items[at], this.#items[above]];
    if (item === undefined || parent === undefined) return false;
    [this.#items[at], this.#items[above]] = [parent, item];
    return true;
  }

  #isLater(at: number, other: number): boolean {
    const [item, compared] = [this.#items[at], this.#items[other]];
    return item !== undefined && compared !== undefined && this.#compare(item, compared) > 0;
  }
}

/** Dead items that a heap may have beside as many as live. */
const minDead = 64;

/** A heap of items that may die: those are left where they are, and cost as much as they did when they were added. */
export class LiveHeap<T> {
  readonly #heap: Heap<T>;
  readonly #isLive: (item: T) => boolean;
  /** Beyond it the dead ones are forgotten. */
  #most = minDead;

  constructor(compare: (one: T, other: T) => number, isLive: (item: T) => boolean) {
    this.#heap = new Heap(compare);
    this.#isLive = isLive;
  }

  /** Items, dead ones too. */
  get size(): number {
    return this.#heap.size;
  }

  add(item: T): void {
    this.#heap.add(item);
    if (this.#heap.size <= this.#most) return;
    this.#heap.retain(this.#isLive);
    this.#most = 2 * this.#heap.size + minDead;
  }

  /** The last living item by the order. */
  peek(): T | undefined {
    for (;;) {
      const item = this.#heap.peek();
      if (item === undefined || this.#isLive(item)) return item;
      this.#heap.take();
    }
  }

  take(): T | undefined {
    const item = this.peek();
    if (item !== undefined) this.#heap.take();
    return item;
  }
}
