import { SortedValues } from './collection.ts';

/** The members under one index value. Adding a member to a large entry does not copy the others. */
interface IndexEntry<V> {
  readonly keys: Set<string>;
  readonly sorted: SortedValues<V>;
}

/** The entries of an index: index value → members, and back. */
export class IndexEntries<V> {
  readonly #lookup: (key: string) => V | undefined;
  readonly #entries = new Map<string, IndexEntry<V>>();
  /** Member key → its index values; needed to remove a member whose value is gone already. */
  readonly #valuesOf = new Map<string, readonly string[]>();

  /** @param lookup returns the current value of a member */
  constructor(lookup: (key: string) => V | undefined) {
    this.#lookup = lookup;
  }

  /** The entries by index value; none of them is empty. */
  get byValue(): ReadonlyMap<string, unknown> {
    return this.#entries;
  }

  /** The members under an index value, in the order of their keys. */
  membersOf(value: string): readonly V[] {
    return this.#entries.get(value)?.sorted.read() ?? noMembers;
  }

  /**
   * Files a member under these index values and no others; the member itself may have changed. Adds the index values
   * that are affected to `changed`.
   */
  update(key: string, values: readonly string[], changed: Set<string>): void {
    const kept = new Set(values);
    for (const value of this.#valuesOf.get(key) ?? []) {
      changed.add(value);
      if (!kept.has(value)) this.#remove(key, value);
    }
    for (const value of values) {
      changed.add(value);
      this.#add(key, value);
    }
    if (values.length === 0) this.#valuesOf.delete(key);
    else this.#valuesOf.set(key, values);
  }

  /** Counts the entries held, for the dump. */
  count(): number {
    return this.#entries.size + this.#valuesOf.size;
  }

  #add(key: string, value: string): void {
    const entry = this.#entries.get(value) ?? this.#create(value);
    if (entry.keys.has(key)) entry.sorted.invalidateValues();
    else entry.sorted.invalidateKeys();
    entry.keys.add(key);
  }

  #remove(key: string, value: string): void {
    const entry = this.#entries.get(value);
    entry?.keys.delete(key);
    entry?.sorted.invalidateKeys();
    if (entry?.keys.size === 0) this.#entries.delete(value);
  }

  #create(value: string): IndexEntry<V> {
    const keys = new Set<string>();
    const entry = { keys, sorted: new SortedValues(() => keys, this.#lookup) };
    this.#entries.set(value, entry);
    return entry;
  }
}

const noMembers: readonly never[] = Object.freeze([]);
