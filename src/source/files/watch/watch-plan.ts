import { basename } from 'node:path';
import { isManifestName, isUnnameable } from './list-folder.ts';

/** The scope of a scan: the whole root, or the entries of its folder with these names. */
export type ScanScope = 'all' | ReadonlySet<string>;

/** An entry of a folder whose change requires a scan. */
export interface WatchedEntry {
  readonly folder: string;
  /** Undefined: any manifest in the folder, which is the root. */
  readonly name: string | undefined;
  /** The entry of the root to scan then; undefined: the whole root. */
  readonly scan: string | undefined;
}

/** A part of a root that has to be scanned. */
export interface ScanRequest {
  readonly root: number;
  /** The entry of its folder; undefined: whatever of the root a check finds changed. */
  readonly entry: string | undefined;
}

/** Maps a change in a folder to the scans that it requires. Built after each scan. */
export class WatchPlan {
  readonly #requests = new Map<string, Map<string | undefined, ScanRequest[]>>();

  /** @param watched the entries of each root */
  constructor(watched: readonly Iterable<WatchedEntry>[]) {
    for (const [root, entries] of watched.entries()) {
      for (const { folder, name, scan } of entries) this.#requestsFor(folder, name).push({ root, entry: scan });
    }
  }

  /** All folders that have to be watched. */
  get folders(): ReadonlySet<string> {
    return new Set(this.#requests.keys());
  }

  /** Returns the scans after a change of an entry of a folder; undefined: of an unknown one. */
  scansAfter(folder: string, name: string | undefined): readonly ScanRequest[] {
    const requests = this.#requests.get(folder);
    if (requests === undefined) return [];
    // The event of a folder that is moved or removed has its own name.
    if (name === undefined || name === basename(folder)) {
      return [...requests.values()].flat().map(({ root }) => ({ root, entry: undefined }));
    }
    const roots = isManifestName(name) ? (requests.get(undefined) ?? []) : [];
    // Of a name that is not UTF-8, only a listing tells whether it is there.
    const entry = isUnnameable(name) ? undefined : name;
    return [...(requests.get(name) ?? []), ...roots.map(({ root }) => ({ root, entry }))];
  }

  #requestsFor(folder: string, name: string | undefined): ScanRequest[] {
    const byName = this.#requests.get(folder) ?? new Map<string | undefined, ScanRequest[]>();
    this.#requests.set(folder, byName);
    const requests = byName.get(name) ?? [];
    byName.set(name, requests);
    return requests;
  }
}

/** Changed entries of a root beyond which the whole root is scanned: bounds the memory that a burst of events takes. */
const maxEntries = 10_000;

/** Scans that were requested and not yet begun, merged per root. */
export class ScanQueue {
  #scopes = new Map<number, 'all' | Set<string>>();

  /** The number of roots that are to be scanned. */
  get size(): number {
    return this.#scopes.size;
  }

  add(root: number, entry: string): void {
    const scope = this.#scopes.get(root);
    if (scope === 'all') return;
    if (scope === undefined) this.#scopes.set(root, new Set([entry]));
    else if (scope.size < maxEntries) scope.add(entry);
    else this.#scopes.set(root, 'all');
  }

  /** Requests the scan of a part of a root. */
  addScope(root: number, scope: 'all' | Iterable<string>): void {
    if (scope === 'all') this.#scopes.set(root, 'all');
    else for (const entry of scope) this.add(root, entry);
  }

  /** Puts what is left of a scan before what was requested meanwhile, so that it waits for one scan of the others at most. */
  addLeft(root: number, entries: readonly string[]): void {
    const later = this.#scopes.get(root);
    if (later === 'all' || entries.length === 0) return;
    this.#scopes.set(root, new Set(entries));
    if (later !== undefined) this.addScope(root, later);
  }

  /** Requests a whole scan of this number of roots. */
  addAll(roots: number): void {
    for (let root = 0; root < roots; root += 1) this.#scopes.set(root, 'all');
  }

  /** Takes all requests. */
  take(): ReadonlyMap<number, ScanScope> {
    const taken = this.#scopes;
    this.#scopes = new Map();
    return taken;
  }
}
