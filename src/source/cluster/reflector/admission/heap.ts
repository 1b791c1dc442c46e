/** A binary heap whose last item by the order is taken first. In order only once something is taken. */
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

  take(): T | undefined {
    if (!this.#ordered) for (let at = this.#items.length >> 1; at >= 0; at -= 1) this.#sink(at);
    this.#ordered = true;
    const [first] = this.#items;
    const last = this.#items.pop();
    if (last !== undefined && this.#items.length > 0) {
      this.#items[0] = last;
      this.#sink(0);
    }
    return first;
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
