import { readdir } from 'node:fs/promises';
import { join, parse, resolve, sep } from 'node:path';
import type { Clock, Counters } from '../../../edges.ts';
import type { ManifestFile } from '../manifest/manifest-file.ts';
import type { ManifestStore } from '../manifest-store.ts';
import { followLinks, type LinkEntry, type Resolution } from './follow-links.ts';
import { errorCode } from './fs-error.ts';
import { type Fingerprint, fingerprintOf, readManifestFile } from './read-file.ts';

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

export interface RootScannerParts {
  /** Index among the roots of `-f`. */
  readonly root: number;
  /** As given. */
  readonly path: string;
  readonly store: ManifestStore;
  readonly clock: Clock;
  readonly counters: Counters;
}

interface Known {
  readonly file: ManifestFile;
  readonly fingerprint: Fingerprint | undefined;
}

type Found = Extract<Resolution, { readonly end: 'found' }>;

/** Files read concurrently. */
const concurrency = 8;

/** Returns true for entries that are read: those of `kubectl apply -f`, without hidden ones. */
export function isManifestName(name: string): boolean {
  return /^[^.].*\.(?:yaml|yml|json)$/s.test(name);
}

/** Scans one root of `-f` and updates the store. Reads only files whose fingerprint changed. */
export class RootScanner {
  readonly #parts: RootScannerParts;
  readonly #absolute: string;
  readonly #known = new Map<string, Known>();
  /** The directory entries that the path of the root resolves through. */
  #rootEntries: readonly LinkEntry[] = [];
  /** By entry of the root that is a link: the directory entries that it resolves through, also when it is dangling. */
  readonly #linkEntries = new Map<string, readonly LinkEntry[]>();
  /** The folder that the root is, or was last. */
  #folder: string | undefined;

  constructor(parts: RootScannerParts) {
    this.#parts = parts;
    this.#absolute = resolve(parts.path);
  }

  /** Yields the entries to watch, as of the last scan. */
  *watchedEntries(): Generator<WatchedEntry> {
    for (const { folder, name } of this.#rootEntries) yield { folder, name, scan: undefined };
    if (this.#folder !== undefined) yield { folder: this.#folder, name: undefined, scan: undefined };
    for (const [scan, entries] of this.#linkEntries) {
      for (const { folder, name } of entries) yield { folder, name, scan };
    }
  }

  /** Scans the root. Read errors become diagnostics of the store; never rejects. */
  async scan(scope: ScanScope): Promise<void> {
    const { root: drive } = parse(this.#absolute);
    const resolution = await followLinks(drive, this.#absolute);
    this.#rootEntries = resolution.entries;
    if (resolution.end === 'absent') return this.#missing('does not exist');
    if (resolution.end === 'failed') return this.#missing(`cannot be looked at (${resolution.code})`);
    if (resolution.stats.isFile()) return this.#scanFile(resolution);
    if (resolution.stats.isDirectory()) return this.#scanFolder(resolution, scope);
    return this.#missing('is neither a file nor a folder');
  }

  async #scanFile(resolution: Found): Promise<void> {
    if (!(await this.#read('', resolution))) return this.#missing('does not exist');
    this.#parts.store.rootFound(this.#parts.root);
    this.#folder = undefined;
    this.#keepOnly(new Set(['']));
  }

  async #scanFolder({ realPath }: Found, scope: ScanScope): Promise<void> {
    let names = scope;
    try {
      if (names === 'all') names = new Set((await readdir(realPath)).filter(isManifestName));
    } catch (error) {
      return this.#missing(`cannot be listed (${errorCode(error)})`);
    }
    this.#folder = realPath;
    this.#parts.store.rootFound(this.#parts.root);
    if (scope === 'all') this.#keepOnly(names);
    const waiting = [...names];
    while (waiting.length > 0) {
      await Promise.all(waiting.splice(0, concurrency).map((name) => this.#scanEntry(realPath, name)));
    }
  }

  async #scanEntry(folder: string, name: string): Promise<void> {
    const resolution = await followLinks(folder, name);
    if (resolution.entries.length > 1) this.#linkEntries.set(name, resolution.entries);
    else this.#linkEntries.delete(name);
    if (resolution.end === 'failed') {
      const file = this.#file(name, join(folder, name));
      this.#known.set(name, { file, fingerprint: undefined });
      this.#parts.store.setFile(file, { ok: false, reason: `The file cannot be read (${resolution.code}).` });
    } else if (resolution.end === 'absent' || !resolution.stats.isFile() || !(await this.#read(name, resolution)))
      this.#delete(name);
  }

  /** Reads the file if it changed. Returns false if it does not exist. */
  async #read(name: string, { realPath, stats }: Found): Promise<boolean> {
    const { store, clock, counters } = this.#parts;
    const known = this.#known.get(name);
    if (known?.fingerprint === fingerprintOf(stats) && known.file.realPath === realPath) return true;
    counters.count('gatehouse_source_reads_total');
    const state = await readManifestFile(realPath, clock);
    if (!state.present) return false;
    const file = this.#file(name, realPath);
    this.#known.set(name, { file, fingerprint: state.fingerprint });
    store.setFile(file, state.content);
    return true;
  }

  #file(name: string, realPath: string): ManifestFile {
    const { root, path } = this.#parts;
    const entry = path.endsWith(sep) ? `${path}${name}` : `${path}${sep}${name}`;
    return { root, name, path: name === '' ? path : entry, realPath };
  }

  #keepOnly(names: ReadonlySet<string>): void {
    for (const name of this.#known.keys()) if (!names.has(name)) this.#delete(name);
    for (const name of this.#linkEntries.keys()) if (!names.has(name)) this.#linkEntries.delete(name);
  }

  #delete(name: string): void {
    const known = this.#known.get(name);
    if (known === undefined) return;
    this.#known.delete(name);
    this.#parts.store.deleteFile(known.file);
  }

  #missing(reason: string): void {
    this.#folder = undefined;
    this.#parts.store.rootMissing(this.#parts.root, reason);
  }
}
