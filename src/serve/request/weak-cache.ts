/**
 * Values derived from an object and shared between streams, keyed by that object. The cache holds the newest values up
 * to a total weight; an older value is found for as long as another owner keeps it alive, and is computed again after
 * that.
 */
export class WeakCache<Value extends object> {
  readonly #limit: number;
  readonly #weightOf: (value: Value) => number;
  readonly #values = new WeakMap<object, WeakRef<Value>>();
  readonly #newest: Value[] = [];
  #total = 0;

  /**
   * @param limit the total weight of the values to hold
   * @param weightOf the weight of one value, in the unit of `limit`
   */
  constructor(limit: number, weightOf: (value: Value) => number) {
    this.#limit = limit;
    this.#weightOf = weightOf;
  }

  /** Returns the value derived from `key`, and computes it with `make` if it is not known. */
  get(key: object, make: () => Value): Value {
    const known = this.#values.get(key)?.deref();
    if (known !== undefined) return known;
    const value = make();
    this.#values.set(key, new WeakRef(value));
    this.#newest.push(value);
    this.#total += this.#weightOf(value);
    while (this.#total > this.#limit) {
      const oldest = this.#newest.shift();
      if (oldest === undefined) break;
      this.#total -= this.#weightOf(oldest);
    }
    return value;
  }
}
