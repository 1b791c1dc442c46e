import { basename } from 'node:path';
import { isManifestName, isUnnameable } from './list-folder.ts';

/** An entry of a folder whose change requires a scan. */
export interface WatchedEntry {
  readonly folder: string;
  /** Undefined: any manifest in the folder, which is the root. */
  readonly name: string | undefined;
}

/** A part of a root that has to be scanned. */
export interface ScanRequest {
  readonly root: number;
  /** The entry of its folder; undefined: whatever of the root a check finds changed. */
  readonly entry: string | undefined;
}

/** What one scan depends on. */
interface Watched {
  readonly request: ScanRequest;
  readonly entries: readonly WatchedEntry[];
}

/**
 * Maps a change in a folder to the scans that it requires. A scan replaces what the entries that it looked at depend on:
 * ten thousand links have forty entries each, and a change of one of them must not cost all.
 */
export class WatchPlan {
  /** By folder and name. */
  readonly #requests = new Map<string, Map<string | undefined, Set<ScanRequest>>>();
  /** By root, and by the entry to scan. */
  readonly #watched = new Map<number, Map<string | undefined, Watched>>();

  /** Sets the entries on which a scan depends. @param scan undefined: that of the whole root */
  set(root: number, scan: string | undefined, entries: readonly WatchedEntry[]): void {
    const before = this.#of(root).get(scan);
    if (before !== undefined && isSame(before.entries, entries)) return;
    const request = before?.request ?? { root, entry: scan };
    if (before !== undefined) this.#remove(before);
    this.#of(root).set(scan, { request, entries });
    for (const { folder, name } of entries) {
      const byName = entryOf(this.#requests, folder, () => new Map<string | undefined, Set<ScanRequest>>());
      entryOf(byName, name, () => new Set<ScanRequest>()).add(request);
    }
  }

  /** Forgets what the scan of an entry depends on. */
  delete(root: number, scan: string): void {
    const watched = this.#of(root).get(scan);
    if (watched === undefined) return;
    this.#of(root).delete(scan);
    this.#remove(watched);
  }

  /** The entries of a root whose scan depends on anything. */
  *scansOf(root: number): Generator<string> {
    for (const scan of this.#of(root).keys()) if (scan !== undefined) yield scan;
  }

  /** All folders that have to be watched, those of the roots first. */
  get folders(): ReadonlySet<string> {
    const ofRoots = [...this.#watched.values()].flatMap((scans) => scans.get(undefined)?.entries ?? []);
    return new Set([...ofRoots.map(({ folder }) => folder), ...this.#requests.keys()]);
  }

  /** The scans that depend on any entry of a folder. */
  scansIn(folder: string): ReadonlySet<ScanRequest> {
    return new Set([...(this.#requests.get(folder)?.values() ?? [])].flatMap((requests) => [...requests]));
  }

  /** Returns the scans after a change of an entry of a folder; undefined: of an unknown one. */
  scansAfter(folder: string, name: string | undefined): readonly ScanRequest[] {
    const requests = this.#requests.get(folder);
    if (requests === undefined) return [];
    // The event of a folder that is moved or removed has its own name.
    if (name === undefined || name === basename(folder)) {
      const roots = new Set([...this.scansIn(folder)].map(({ root }) => root));
      return [...roots].map((root) => ({ root, entry: undefined }));
    }
    const roots = isManifestName(name) ? [...(requests.get(undefined) ?? [])] : [];
    // Of a name that is not UTF-8, only a listing tells whether it is there.
    const entry = isUnnameable(name) ? undefined : name;
    return [...(requests.get(name) ?? []), ...roots.map(({ root }) => ({ root, entry }))];
  }

  #of(root: number): Map<string | undefined, Watched> {
    return entryOf(this.#watched, root, () => new Map<string | undefined, Watched>());
  }

  #remove({ request, entries }: Watched): void {
    for (const { folder, name } of entries) {
      const byName = this.#requests.get(folder);
      const requests = byName?.get(name);
      requests?.delete(request);
      if (requests?.size === 0) byName?.delete(name);
      if (byName?.size === 0) this.#requests.delete(folder);
    }
  }
}

function isSame(entries: readonly WatchedEntry[], others: readonly WatchedEntry[]): boolean {
  return (
    entries.length === others.length &&
    entries.every(({ folder, name }, at) => folder === others[at]?.folder && name === others[at]?.name)
  );
}

/** Returns the value of a key, which is made if there is none. */
function entryOf<Key, Value>(map: Map<Key, Value>, key: Key, make: () => Value): Value {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}
