import { Quota } from './quota.ts';

/** Keeps of some entries as many as there is room for, in place of those before. Returns these, the first ones. */
type Keep = <E>(entries: readonly E[], bytesOf: (entry: E) => number) => readonly E[];

/** Limits of what is kept. */
export interface KeptEntriesOptions {
  /** Bytes of all keys. */
  readonly limit: number;
  /** The part of it that one key may take. */
  readonly share: number;
  /** Forgets everything of a key, which makes room for one that takes less. */
  readonly evict: (key: string) => void;
  /** Called when not all entries of a key are kept. */
  readonly crowded: (key: string) => void;
}

/**
 * Limits the memory of entries that are kept by key, such as a peer who has sent them, in one sum over all keys. Without
 * room, the key with the most is evicted, as long as that has more than the one that needs room: so no number of keys
 * with much can take the place of one with little. The entries of a key are of several parts, each of which is replaced
 * as a whole. Does not have them itself.
 */
export class KeptEntries {
  readonly #options: KeptEntriesOptions;
  readonly #quota: Quota;
  /** Bytes by key and part. */
  readonly #held = new Map<string, Map<string, number>>();

  constructor(options: KeptEntriesOptions) {
    this.#options = options;
    this.#quota = new Quota(options.limit, options.share);
  }

  /** Bytes that are kept. */
  get bytes(): number {
    return this.#quota.total;
  }

  /** Returns the function that keeps one part of a key. */
  keeper(key: string, part: string): Keep {
    return (entries, bytesOf) => {
      const parts = this.#held.get(key) ?? new Map<string, number>();
      this.#held.set(key, parts);
      this.#quota.release(key, parts.get(part) ?? 0);
      const sizes = entries.map(bytesOf);
      const count = this.#fit(key, sizes);
      const kept = sizes.slice(0, count).reduce((sum, size) => sum + size, 0);
      parts.set(part, kept);
      if (count === entries.length) return entries;
      this.#options.crowded(key);
      return entries.slice(0, count);
    };
  }

  /** Call when nothing of a key is kept any more. */
  forget(key: string): void {
    this.#quota.release(key, this.#quota.held(key));
    this.#held.delete(key);
  }

  /** Acquires room for so many of the first as there is, and returns their number. */
  #fit(key: string, sizes: readonly number[]): number {
    const all = sizes.reduce((sum, size) => sum + size, 0);
    if (this.#quota.acquire(key, all)) return sizes.length;
    let count = 0;
    for (const size of sizes) {
      while (!this.#quota.acquire(key, size)) {
        if (this.#quota.exceedsShare(key, size) || !this.#makeRoom(key, size)) return count;
      }
      count += 1;
    }
    return count;
  }

  /** Evicts the key with the most; returns false when no other has more than this one would have. */
  #makeRoom(key: string, size: number): boolean {
    let most = this.#quota.held(key) + size;
    let largest: string | undefined;
    for (const other of this.#held.keys()) {
      const held = this.#quota.held(other);
      if (other === key || held <= most) continue;
      most = held;
      largest = other;
    }
    if (largest === undefined) return false;
    this.forget(largest);
    this.#options.evict(largest);
    this.#options.crowded(largest);
    return true;
  }
}
