import type { Part } from './variant.ts';

/**
 * Response bodies that several streams send, found by the object they tell of. The latest are kept, up to a number of
 * bytes; an older one stays for as long as some stream has yet to send it, and is made again when it is needed again.
 */
export class BodyCache {
  readonly #limit: number;
  readonly #known = new WeakMap<object, WeakRef<readonly Part[]>>();
  readonly #latest: (readonly Part[])[] = [];
  #bytes = 0;

  /** @param limit bytes of bodies to keep */
  constructor(limit: number) {
    this.#limit = limit;
  }

  get(about: object, make: () => readonly Part[]): readonly Part[] {
    const known = this.#known.get(about)?.deref();
    if (known !== undefined) return known;
    const parts = make();
    this.#known.set(about, new WeakRef(parts));
    this.#latest.push(parts);
    this.#bytes += bytesOf(parts);
    while (this.#bytes > this.#limit) this.#bytes -= bytesOf(this.#latest.shift() ?? []);
    return parts;
  }
}

function bytesOf(parts: readonly Part[]): number {
  return parts.reduce((sum, { body }) => sum + body.length, 0);
}
