/** Reads a set of keys as a list of values in the order of the keys; sorts only after the set has changed. */
export class SortedMembers<V> {
  readonly #keys: () => Iterable<string>;
  readonly #lookUp: (key: string) => V | undefined;
  #order: readonly string[] | undefined;
  #values: readonly V[] | undefined;

  constructor(keys: () => Iterable<string>, lookUp: (key: string) => V | undefined) {
    this.#keys = keys;
    this.#lookUp = lookUp;
  }

  /** A key came or went. */
  moved(): void {
    this.#order = undefined;
    this.#values = undefined;
  }

  /** A key has another value. */
  changed(): void {
    this.#values = undefined;
  }

  /** Shared by all readers until the next change, hence frozen. */
  read(): readonly V[] {
    if (this.#values !== undefined) return this.#values;
    this.#order ??= [...this.#keys()].sort();
    const values: V[] = [];
    for (const key of this.#order) {
      const value = this.#lookUp(key);
      if (value !== undefined) values.push(value);
    }
    this.#values = Object.freeze(values);
    return this.#values;
  }
}
