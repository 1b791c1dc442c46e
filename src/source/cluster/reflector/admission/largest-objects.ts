import { Heap } from './heap.ts';

/** The sizes of what is stored. */
export interface StoredSizes {
  /** Objects that are stored. */
  count(): number;
  keys(): Iterable<string>;
  /** The bytes of an object with its content; `undefined`: there is none, or it had no room. */
  bytesOf(key: string): number | undefined;
}

interface Sized {
  readonly key: string;
  readonly bytes: number;
}

/**
 * Finds the largest of the stored objects, of equally large ones the last by key. Costs nothing before the first time;
 * then all are put in order once, and each change costs a step of a heap.
 */
export class LargestObjects {
  readonly #stored: StoredSizes;
  /** Has each object, and former sizes of some. `undefined`: not in order. */
  #heap: Heap<Sized> | undefined;

  constructor(stored: StoredSizes) {
    this.#stored = stored;
  }

  /** Call it when an object was stored. */
  changed(key: string): void {
    if (this.#heap === undefined) return;
    const bytes = this.#stored.bytesOf(key);
    if (bytes === undefined) return;
    // So many former sizes have been added one by one that putting all in order again costs no more than they did.
    if (this.#heap.size > 2 * this.#stored.count() + minFormer) this.#heap = undefined;
    else this.#heap.add({ key, bytes });
  }

  /** Call it when many have changed at once. */
  forget(): void {
    this.#heap = undefined;
  }

  /** Returns the largest object with more bytes than that; `undefined` when there is none. */
  largerThan(bytes: number): string | undefined {
    this.#heap ??= this.#inOrder();
    let largest = this.#heap.take();
    while (largest !== undefined && this.#stored.bytesOf(largest.key) !== largest.bytes) largest = this.#heap.take();
    if (largest === undefined) return undefined;
    this.#heap.add(largest);
    return largest.bytes > bytes ? largest.key : undefined;
  }

  #inOrder(): Heap<Sized> {
    const heap = new Heap<Sized>((one, other) => one.bytes - other.bytes || (one.key < other.key ? -1 : 1));
    for (const key of this.#stored.keys()) {
      const bytes = this.#stored.bytesOf(key);
      if (bytes !== undefined) heap.add({ key, bytes });
    }
    return heap;
  }
}

/** Former sizes that a heap may have beside as many as there are objects. */
const minFormer = 64;
