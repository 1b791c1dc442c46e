import { compareNames } from '../manifest/manifest-file.ts';
import type { ScanRequest } from './watch-plan.ts';

/** The entries of the folder of a root that changed; all: also others may have. */
export type ChangedEntries = 'all' | ReadonlySet<string>;

/** The scope of a scan: entries of the folder of a root, by their names, or the whole root, these entries first. */
export interface ScanScope {
  readonly all: boolean;
  /** Those that a scan before has left. */
  readonly left: readonly string[];
  readonly names: ReadonlySet<string>;
}

/** The whole root. */
export const wholeRoot: ScanScope = { all: true, left: [], names: new Set() };

/** Changed entries of a root beyond which the whole root is scanned: bounds the memory that a burst of events takes. */
const maxEntries = 10_000;

interface QueuedScan {
  all: boolean;
  left: readonly string[];
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
  addLeft(root: number, entries: readonly string[]): void {
    if (entries.length === 0) return;
    const scan = this.#of(root);
    scan.left = [...scan.left, ...entries];
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
    const scan: QueuedScan = { all: false, left: [], names: new Set() };
    this.#scans.set(root, scan);
    return scan;
  }
}

function sizeOf({ all, left, names }: QueuedScan): number {
  return all ? Number.MAX_SAFE_INTEGER : left.length + names.size;
}

/** Entries that count already for each other one. */
const countingShare = 64;

/**
 * Orders the named entries of a scan. What counts already comes first, since a change of it may revoke; but not all of the
 * time, since what appears may narrow. What was left comes before what was requested meanwhile, and otherwise the order
 * is that of names: whether there is room for a file depends on the sizes before it.
 */
export function inOrder({ left, names }: ScanScope, counts: (name: string) => boolean): readonly string[] {
  const counting: string[] = [];
  const others: string[] = [];
  const wasLeft = new Set(left);
  for (const some of [[...wasLeft], [...names].filter((name) => !wasLeft.has(name))]) {
    const rest: string[] = [];
    for (const name of some) (counts(name) ? counting : rest).push(name);
    others.push(...rest.sort(compareNames));
  }
  const ordered: string[] = [];
  let at = 0;
  for (const [index, name] of counting.entries()) {
    ordered.push(name);
    const other = others[at];
    if ((index + 1) % countingShare !== 0 || other === undefined) continue;
    ordered.push(other);
    at += 1;
  }
  return [...ordered, ...others.slice(at)];
}
