/**
 * What several streams need, found by the object that it is made of. The latest are kept, up to a weight; an older one
 * stays for as long as somebody else uses it, and is made again when it is needed again.
 */
export class SharedCache<Value extends object> {
  readonly #limit: number;
  readonly #weigh: (value: Value) => number;
  readonly #known = new WeakMap<object, WeakRef<Value>>();
  readonly #latest: Value[] = [];
  #weight = 0;

  /** @param limit the weight to keep */
  constructor(limit: number, weigh: (value: Value) => number) {
    this.#limit = limit;
    this.#weigh = weigh;
  }

  get(about: object, make: () => Value): Value {
    const known = this.#known.get(about)?.deref();
    if (known !== undefined) return known;
    const value = make();
    this.#known.set(about, new WeakRef(value));
    this.#latest.push(value);
    this.#weight += this.#weigh(value);
    while (this.#weight > this.#limit) {
      const oldest = this.#latest.shift();
      if (oldest === undefined) break;
      this.#weight -= this.#weigh(oldest);
    }
    return value;
  }
}
