import { Quota } from '../../rate/quota.ts';

/**
 * What is kept of the lists of a target after they were answered: the pages that it owns, the names that do not say
 * their target, the headers of parameters, and the tools whose calls are tasks.
 */
type KeptPart = 'pages' | 'tool' | 'prompt' | 'headers' | 'task tools';

/** Keeps of some entries as many as there is room for, in place of those before. Returns these, the first ones. */
export type Keep = <E>(entries: readonly E[], bytesOf: (entry: E) => number) => readonly E[];

/** Bytes of memory for all targets. Ten thousand names of 30 characters take 5 MB. */
const maxBytes = 64 * 1024 * 1024;

/**
 * One target has a ninth of it, of a hundred targets that want all of it each has a hundred-and-eighth, and however
 * many there are, something is left for another one.
 */
const shareOfRest = 1 / 8;

/** Limits what is kept of the lists of all targets. Says nothing of what it is: those who keep it know. */
export class ListMemory {
  readonly #quota = new Quota(maxBytes, 1, shareOfRest);
  /** By target and part. */
  readonly #held = new Map<string, Map<KeptPart, number>>();
  readonly #crowded: (target: string) => void;

  /** @param crowded called when a part of what a target lists finds no room */
  constructor(crowded: (target: string) => void) {
    this.#crowded = crowded;
  }

  /** Bytes that are kept. */
  get bytes(): number {
    return this.#quota.total;
  }

  /**
   * Returns the function that keeps one part of a target. What the target held of that part stays its own, so that
   * others cannot take the place of a list that is read again.
   */
  keeper(target: string, part: KeptPart): Keep {
    return (entries, bytesOf) => {
      const parts = this.#held.get(target) ?? new Map<KeptPart, number>();
      this.#held.set(target, parts);
      const before = parts.get(part) ?? 0;
      const { count, bytes, held } = this.#fit(target, entries.map(bytesOf), before);
      this.#quota.release(target, held - bytes);
      parts.set(part, bytes);
      if (count === entries.length) return entries;
      this.#crowded(target);
      return entries.slice(0, count);
    };
  }

  /** Call when a target was changed or removed, and what was kept of it is forgotten. */
  forget(target: string): void {
    for (const bytes of this.#held.get(target)?.values() ?? []) this.#quota.release(target, bytes);
    this.#held.delete(target);
  }

  /** @param before what is held already */
  #fit(target: string, sizes: readonly number[], before: number): { count: number; bytes: number; held: number } {
    const all = sizes.reduce((sum, size) => sum + size, 0);
    if (all <= before) return { count: sizes.length, bytes: all, held: before };
    if (this.#quota.acquire(target, all - before)) return { count: sizes.length, bytes: all, held: all };
    let [count, bytes, held] = [0, 0, before];
    for (const size of sizes) {
      const due = bytes + size - held;
      if (due > 0 && !this.#quota.acquire(target, due)) break;
      held += Math.max(0, due);
      bytes += size;
      count += 1;
    }
    return { count, bytes, held };
  }
}
