import { readdir } from 'node:fs/promises';
import { basename, dirname, join, parse, resolve, sep } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import type { Clock, Counters } from '../../../edges.ts';
import { quoted } from '../../../json/quoted.ts';
import { codeOrReason } from '../../../net/errors.ts';
import { limits } from '../manifest/limits.ts';
import { fileKey, type ManifestFile } from '../manifest/manifest-file.ts';
import type { ManifestStore } from '../manifest-store.ts';
import type { ManifestLoader } from '../parsing/manifest-loader.ts';
import { type Arrivals, entryIn, type FolderEntry } from './arrivals.ts';
import { folderIdentity } from './folder-watcher.ts';
import { followLinks, type LinkEntry, type Resolution } from './follow-links.ts';
import type { ManifestBudget } from './manifest-budget.ts';
import { type Fingerprint, fingerprintOf, readManifestFile } from './read-file.ts';
import { Settling } from './settling.ts';
import { unreadSubfolders } from './subfolders.ts';

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

/** One root of `-f`, and what its scans need. */
export interface RootScannerParts {
  /** Index among the roots of `-f`. */
  readonly root: number;
  /** As given. */
  readonly path: string;
  readonly store: ManifestStore;
  readonly loader: ManifestLoader;
  readonly arrivals: Arrivals;
  /** Shared by all roots. */
  readonly budget: ManifestBudget;
  /** Milliseconds that a file has to stand still after it was written in place. */
  readonly settle: number;
  readonly clock: Clock;
  readonly counters: Counters;
}

interface Known {
  readonly file: ManifestFile;
  /** That of the content that counts; undefined: to be read again. */
  readonly fingerprint: Fingerprint | undefined;
}

type Found = Extract<Resolution, { readonly end: 'found' }>;

const restless = 'The file keeps changing: write it under another name, and rename it.';

/** A file with another name could be written by that, and one without content was perhaps just created. */
const isWhole = ({ size, nlink }: Found['stats']): boolean => size > 0n && nlink === 1n;

/**
 * The link that Kubernetes replaces when it updates a mounted volume. It leads to a folder that is complete by then; what
 * other links lead to may still be written.
 */
const isMountedVersion = ({ name }: LinkEntry): boolean => name === '..data';

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
  /** A warning about folders within it that have manifests, as of the last scan of all. */
  #unread: string | undefined;
  readonly #settling: Settling;
  /** Entries without room, until they are read or gone: also while they are waited for, and while the root is missing. */
  readonly #crowdedOut = new Set<string>();
  /** False until the first scan has ended: only then the time of a file's change is asked for, which was unobserved. */
  #scanned = false;

  constructor(parts: RootScannerParts) {
    this.#parts = parts;
    this.#settling = new Settling(parts.settle, parts.clock);
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

  /** The entries that are waited for until they stand still, each with the time from which it counts. */
  settling(): ReturnType<Settling['waiting']> {
    return this.#settling.waiting();
  }

  /** Scans the root. Read errors become diagnostics of the store; never rejects. */
  async scan(scope: ScanScope): Promise<void> {
    await this.#scan(scope);
    this.#parts.store.rootCrowded(this.#parts.root, this.#crowding());
    this.#scanned = true;
  }

  /** Says which entries are not read, in one message for all of them. */
  #crowding(): string | undefined {
    const { path, budget } = this.#parts;
    const [first] = this.#crowdedOut;
    if (first === undefined) return undefined;
    const others = this.#crowdedOut.size - 1;
    const which = `${quoted(first === '' ? path : first)}${others > 0 ? ` and ${others} others are` : ' is'}`;
    return `${which} not read: there is more than is read, ${budget.limits}. Remove some, or make them smaller.`;
  }

  async #scan(scope: ScanScope): Promise<void> {
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
    this.#keepCrowded(new Set(['']));
  }

  async #scanFolder({ realPath }: Found, scope: ScanScope): Promise<void> {
    let names = scope;
    try {
      if (names === 'all') names = this.#withinBudget((await readdir(realPath)).filter(isManifestName));
    } catch (error) {
      return this.#missing(`cannot be listed (${codeOrReason(error)})`);
    }
    this.#folder = realPath;
    if (scope === 'all') this.#unread = await unreadSubfolders(realPath, isManifestName);
    this.#parts.store.rootFound(this.#parts.root, this.#unread);
    if (scope === 'all') this.#keepOnly(names);
    const waiting = [...names];
    while (waiting.length > 0) {
      await Promise.all(waiting.splice(0, concurrency).map((name) => this.#scanEntry(realPath, name)));
    }
  }

  /** Those that are known come first, so that what they revoke counts whatever others are there. */
  #withinBudget(names: readonly string[]): ReadonlySet<string> {
    const { maxFiles } = this.#parts.budget;
    this.#keepCrowded(new Set(names));
    const [known, others] = [
      names.filter((name) => this.#known.has(name)),
      names.filter((name) => !this.#known.has(name)),
    ];
    const room = Math.max(0, maxFiles - known.length);
    for (const name of others.slice(room)) this.#crowdedOut.add(name);
    return new Set([...known, ...others.slice(0, room)]);
  }

  async #scanEntry(folder: string, name: string): Promise<void> {
    const resolution = await followLinks(folder, name);
    if (resolution.entries.length > 1) this.#linkEntries.set(name, resolution.entries);
    else this.#linkEntries.delete(name);
    if (resolution.end === 'failed') {
      const file = this.#file(name, join(folder, name));
      this.#known.set(name, { file, fingerprint: undefined });
      this.#settling.forget(name);
      await this.#parts.loader.load(file, { ok: false, reason: `The file cannot be read (${resolution.code}).` });
      this.#crowdedOut.delete(name);
    } else if (resolution.end === 'absent' || !resolution.stats.isFile() || !(await this.#read(name, resolution)))
      this.#delete(name);
  }

  /** Reads the file if it changed and counts. Returns false if it does not exist. */
  async #read(name: string, { realPath, stats, entries }: Found): Promise<boolean> {
    const { loader, arrivals, clock, counters } = this.#parts;
    const known = this.#known.get(name);
    const fingerprint = fingerprintOf(stats);
    if (known?.fingerprint === fingerprint && known.file.realPath === realPath) {
      this.#settling.forget(name);
      this.#crowdedOut.delete(name);
      return true;
    }
    const file = this.#file(name, realPath);
    const size = Number(stats.size);
    if (this.#crowdedOut.has(name) && !this.#hasRoom(file, size)) return true;
    const entry = entryIn((await folderIdentity(dirname(realPath))) ?? '', basename(realPath));
    const whole = isWhole(stats) && arrivals.has(entry);
    const replaced = known !== undefined && known.file.realPath !== realPath && entries.some(isMountedVersion);
    if (!whole && !replaced && this.#waits(file, entry, fingerprint, Number(stats.ctimeMs))) return true;
    if (!this.#hasRoom(file, size)) return true;
    counters.count('gatehouse_source_reads_total');
    const state = await readManifestFile(realPath, fingerprint, clock);
    if (state.kind === 'absent') return false;
    // A write that has begun while the file was read is reported within one turn of the event loop.
    if (whole) await setImmediate().then(() => setImmediate());
    if (state.kind === 'torn' || (whole && !arrivals.take(entry))) {
      this.#await(file);
      return true;
    }
    this.#settling.forget(name);
    this.#known.set(name, { file, fingerprint: state.fingerprint });
    await loader.load(file, state.content);
    this.#crowdedOut.delete(name);
    return true;
  }

  /**
   * Counts a file; one that is too large itself is not read, and takes no room. A new one without room is not known: it
   * would count among those that come first.
   */
  #hasRoom(file: ManifestFile, bytes: number): boolean {
    const { budget, loader, store } = this.#parts;
    const key = fileKey(file);
    if (budget.count(key, bytes > limits.bytes ? 0 : bytes)) return true;
    this.#crowdedOut.add(file.name);
    this.#settling.forget(file.name);
    if (budget.has(key)) store.skipFile(file);
    else if (this.#known.delete(file.name)) loader.remove(file);
    return false;
  }

  /** Returns whether a file that may be half written has to be waited for. */
  #waits(file: ManifestFile, entry: FolderEntry, fingerprint: Fingerprint, changed: number): boolean {
    const { store, arrivals } = this.#parts;
    arrivals.take(entry);
    const settled = this.#settling.observe(file.name, fingerprint, this.#scanned ? undefined : changed);
    if (settled === 'settled') return false;
    this.#await(file);
    if (settled === 'restless') store.setFile(file, { ok: false, position: undefined, reason: restless });
    return true;
  }

  #await(file: ManifestFile): void {
    this.#known.set(file.name, { file, fingerprint: undefined });
    this.#parts.store.awaitFile(file);
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

  /** Forgets the entries without room that are not there any more. */
  #keepCrowded(names: ReadonlySet<string>): void {
    for (const name of this.#crowdedOut) if (!names.has(name)) this.#crowdedOut.delete(name);
  }

  #delete(name: string): void {
    const file = this.#known.get(name)?.file ?? this.#file(name, '');
    this.#crowdedOut.delete(name);
    // Also of a new file that went before it was read.
    this.#parts.budget.remove(fileKey(file));
    if (!this.#known.delete(name)) return;
    this.#settling.forget(name);
    this.#parts.loader.remove(file);
  }

  #missing(reason: string): void {
    this.#folder = undefined;
    this.#settling.clear();
    this.#parts.store.rootMissing(this.#parts.root, reason);
  }
}
