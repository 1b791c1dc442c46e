import { compareNames } from '../manifest/manifest-file.ts';
import type { ScanRequest } from './watch-plan.ts';

/** The entries of the folder of a root that changed; all: also others may have. */
export type ChangedEntries = 'all' | ReadonlySet<string>;

/** The scope of a scan: entries of the folder of a root, by their names, or the whole root, these entries first. */
export interface ScanScope {
  readonly all: boolean;
  /** Those that a scan before has left; the scan takes what it scans. */
  readonly left?: EntryOrder;
  readonly names: ReadonlySet<string>;
}

/** The whole root. */
export const wholeRoot: ScanScope = { all: true, names: new Set() };

/** Changed entries of a root beyond which the whole root is scanned: bounds the memory that a burst of events takes. */
const maxEntries = 10_000;

interface QueuedScan {
  all: boolean;
  left?: EntryOrder;
  readonly names: Set<string>;
}

/**
 * Scans that were requested and not yet begun, merged per root. What a scan has left, and what events name, stays known
 * when the whole root is to be scanned: it comes first, so that no entry waits for all others again and again.
 */
export class ScanQueue {
  #scans = new Map<number, QueuedScan>();

  /** The number of roots that are to be scanned. */
  get size(): number {
    return this.#scans.size;
  }

  add(root: number, entry: string): void {
    const scan = this.#of(root);
    if (scan.names.size < maxEntries) scan.names.add(entry);
    else if (!scan.names.has(entry)) scan.all = true;
  }

  /** Requests the scan of what has changed of a root. */
  addChanged(root: number, changed: ChangedEntries): void {
    if (changed === 'all') this.#of(root).all = true;
    else for (const entry of changed) this.add(root, entry);
  }

  /** Requests these scans. */
  addScans(requests: Iterable<ScanRequest>): void {
    for (const { root, entry } of requests) this.addChanged(root, entry === undefined ? 'all' : new Set([entry]));
  }

  /** Puts back what is left of a scan. */
  addLeft(root: number, left: EntryOrder): void {
    if (left.size === 0) return;
    const scan = this.#of(root);
    if (scan.left === undefined) scan.left = left;
    else scan.left.add(left);
  }

  /** Requests a whole scan of this number of roots. */
  addAll(roots: number): void {
    for (let root = 0; root < roots; root += 1) this.#of(root).all = true;
  }

  /** Takes all requests; those of few entries come first. */
  take(): readonly (readonly [number, ScanScope])[] {
    const taken = [...this.#scans];
    this.#scans = new Map();
    return taken.sort(([, a], [, b]) => sizeOf(a) - sizeOf(b));
  }

  #of(root: number): QueuedScan {
    const known = this.#scans.get(root);
    if (known !== undefined) return known;
    const scan: QueuedScan = { all: false, names: new Set() };
    this.#scans.set(root, scan);
    return scan;
  }
}

function sizeOf({ all, left, names }: QueuedScan): number {
  return all ? Number.MAX_SAFE_INTEGER : (left?.size ?? 0) + names.size;
}

/** Entries that count already for each other one. */
const countingShare = 64;

/**
 * The entries of a root that are to be scanned. What counts already comes first, since a change of it may revoke; but not all
 * of the time, since what appears may narrow. Among the others, those that came first come first, and otherwise the order
 * is that of names: whether there is room for a file depends on the sizes before it. To add some costs in proportion to
 * them, not to those that are there: a scan takes few of ten thousand.
 */
export class EntryOrder {
  readonly #counting = new Set<string>();
  readonly #others = new Set<string>();
  #sinceOther = 0;

  get size(): number {
    return this.#counting.size + this.#others.size;
  }

  /** Adds entries after those that are there. @param counts whether an entry counts already. Default: none does */
  add(names: Iterable<string>, counts: (name: string) => boolean = () => false): void {
    const others: string[] = [];
    for (const name of names) {
      if (this.#counting.has(name) || this.#others.has(name)) continue;
      if (counts(name)) this.#counting.add(name);
      else others.push(name);
    }
    for (const name of others.sort(compareNames)) this.#others.add(name);
  }

  /** Keeps those for which this is true. */
  keep(test: (name: string) => boolean): void {
    for (const names of [this.#counting, this.#others]) for (const name of names) if (!test(name)) names.delete(name);
  }

  /** Takes the next entries. */
  take(most: number): readonly string[] {
    const taken: string[] = [];
    while (taken.length < Math.min(most, taken.length + this.size)) {
      const isOther = this.#counting.size === 0 || (this.#sinceOther >= countingShare && this.#others.size > 0);
      const names = isOther ? this.#others : this.#counting;
      const [name = ''] = names;
      names.delete(name);
      taken.push(name);
      this.#sinceOther = isOther ? 0 : this.#sinceOther + 1;
    }
    return taken;
  }

  /** Those that count, then the others. */
  *[Symbol.iterator](): Generator<string> {
    yield* this.#counting;
    yield* this.#others;
  }
}
