/**
 * Chooses the smallest of those that wait. One that came earlier and was passed counts half as much the next time, so that
 * none waits forever.
 */
export class SmallestFirst<T extends object> {
  readonly #sizeOf: (item: T) => number;
  readonly #passed = new WeakMap<T, number>();

  constructor(sizeOf: (item: T) => number) {
    this.#sizeOf = sizeOf;
  }

  /** @param waiting in the order in which they came */
  choose(waiting: readonly T[]): T | undefined {
    let smallest: { readonly item: T; readonly weight: number; readonly at: number } | undefined;
    for (const [at, item] of waiting.entries()) {
      const weight = this.#sizeOf(item) / 2 ** this.#passedBy(item);
      if (smallest === undefined || weight < smallest.weight) smallest = { item, weight, at };
    }
    for (const item of waiting.slice(0, smallest?.at)) this.#passed.set(item, this.#passedBy(item) + 1);
    return smallest?.item;
  }

  #passedBy(item: T): number {
    return this.#passed.get(item) ?? 0;
  }
}
