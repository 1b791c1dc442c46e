import { basename, dirname, join, parse, resolve } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import type { Counters } from '../../../edges.ts';
import { codeOrReason } from '../../../net/errors.ts';
import { inTurns } from '../../../rate/turns.ts';
import type { ManifestFile } from '../manifest/manifest-file.ts';
import { type Arrivals, entryIn, type FolderEntry } from './arrivals.ts';
import { changedEntries, failureOf } from './folder-check.ts';
import { folderIdentity } from './folder-watcher.ts';
import { followLinks, isMountedVersion, type Resolution } from './follow-links.ts';
import { type FolderListing, isUnnameable, listFolder } from './list-folder.ts';
import { countedBytes, type Fingerprint, fingerprintOf, readManifestFile, unreadableContent } from './read-file.ts';
import { RootEntries, type RootEntriesParts } from './root-entries.ts';
import { type ChangedEntries, EntryOrder, type ScanScope, wholeRoot } from './scan-queue.ts';
import type { Settling } from './settling.ts';
import { mostFolders, unreadSubfolders } from './subfolders.ts';

/** One root of `-f`, and what its scans need. */
export interface RootScannerParts extends RootEntriesParts {
  readonly arrivals: Arrivals;
  readonly counters: Counters;
}

type Found = Extract<Resolution, { readonly end: 'found' }>;

const restless = 'The file keeps changing: write it under another name, and rename it.';

/** A file with another name could be written by that, and one without content was perhaps just created. */
const isWhole = ({ size, nlink }: Found['stats']): boolean => size > 0n && nlink === 1n;

/** Files read concurrently. */
const concurrency = 8;

/** Milliseconds of a scan, so that files that are saved together are one batch. */
const maxScan = 1_000;

/** The same while others are requested, and of what a scan has left: a change waits no longer for those before it. */
const maxHeld = 15;

/** Scans one root of `-f` and updates the store. Reads only files whose fingerprint changed. */
export class RootScanner {
  readonly #parts: RootScannerParts;
  readonly #absolute: string;
  readonly #entries: RootEntries;
  /** The folder that the root is, or was last. */
  #folder: string | undefined;
  /** A warning about folders within it that have manifests, as of the last scan of all. */
  #unread: string | undefined;
  /** Files that are not even listed for want of room. */
  #more = 0;
  /** The number of edges of the budget that {@link fit} has seen. */
  #edges = 0;
  /** The end of the last scan of all. */
  #scanningAll: Promise<void> = Promise.resolve();
  /** False until the first scan has ended: only then the time of a file's change is asked for, which was unobserved. */
  #scanned = false;

  constructor(parts: RootScannerParts) {
    this.#parts = parts;
    this.#entries = new RootEntries(parts);
    this.#absolute = resolve(parts.path);
  }

  /** The entries that are waited for until they stand still, each with the monotonic time from which it counts. */
  settling(): ReturnType<Settling['waiting']> {
    return this.#entries.settling.waiting();
  }

  /** Takes up files that were postponed, or have to be read again: returns the entries that have to be scanned. */
  takePostponed(): ReadonlySet<string> {
    const { loader, root } = this.#parts;
    const again = loader.takeUnparsed(root).filter(({ name }) => this.#entries.known.has(name));
    for (const file of again) this.#entries.set(file, undefined);
    return new Set([...again.map(({ name }) => name), ...this.#entries.postponed.take(loader.room(root))]);
  }

  /** Says that an entry changed. Returns whether it has to be scanned: not if it comes after the last that can be read. */
  hasToScan(name: string): boolean {
    const { budget, root } = this.#parts;
    if (!budget.isBeyondList(root, name)) return true;
    this.#more = Math.max(this.#more, 1);
    budget.setCut(root, true);
    return false;
  }

  /**
   * Scans the root. Read errors become diagnostics of the store; never rejects. Then {@link fit} is called. Later scans
   * than the first one take a bounded time.
   *
   * @param othersWait returns whether further scans were requested
   * @returns the entries that are left for the next scan
   */
  async scan(scope: ScanScope, othersWait: () => boolean): Promise<EntryOrder> {
    const hasLeft = scope.left !== undefined;
    const scanning = this.#scan(scope, () => hasLeft || othersWait());
    if (scope.all) this.#scanningAll = scanning.then(() => undefined);
    const left = await scanning;
    this.#scanned = true;
    return left ?? new EntryOrder();
  }

  /**
   * Forgets the files that have no room any more, and reads those that have it now, after files of this or another root
   * changed.
   *
   * @param othersWait as of {@link scan}
   * @returns the entries that are left for the next scan
   */
  async fit(othersWait: () => boolean): Promise<EntryOrder> {
    const { budget, path, root, store } = this.#parts;
    const left = new EntryOrder();
    // What is read may have another size than before: the next scan goes on.
    for (let round = 0; round < 4 && budget.edges() !== this.#edges; round += 1) {
      this.#edges = budget.edges();
      await this.#entries.leaveOutCrowded();
      const admitted = [...this.#entries.leftOut.keys()].filter((name) => budget.admits(root, name));
      left.add(admitted);
      if (this.#folder !== undefined) await this.#scanEntries(this.#folder, left, othersWait);
      else if (admitted.length > 0) await this.#scan(wholeRoot, othersWait);
    }
    const isCrowded = this.#entries.leftOut.size + this.#more > 0;
    store.rootCrowded(root, isCrowded ? budget.crowding(root, path) : undefined);
    return left;
  }

  /**
   * Looks for changes that no event told, and reads nothing: the scans of what events tell go on beside it. Returns the
   * entries that have to be scanned.
   */
  async check(): Promise<ChangedEntries> {
    await this.#scanningAll;
    const resolution = await followLinks(parse(this.#absolute).root, this.#absolute);
    if (resolution.end !== 'found' || !resolution.stats.isDirectory() || resolution.realPath !== this.#folder)
      return 'all';
    const listing = await this.#list(resolution.realPath).catch(() => undefined);
    if (listing === undefined) return 'all';
    const { budget, counters, path, root, store } = this.#parts;
    this.#more = listing.more;
    const last = listing.more > 0 ? (listing.names.at(-1) ?? '') : undefined;
    budget.setCut(root, last !== undefined);
    if (last !== undefined) {
      // What others put out of the listing is not looked at again. A scan may deliver its deletion at once.
      budget.removeAfter(root, last);
      store.rootCrowded(root, budget.crowding(root, path));
      await this.#entries.deleteUnlisted();
    }
    this.#unread = await unreadSubfolders(resolution.realPath, listing.folders);
    store.rootFound(root, this.#unread);
    const listed = new Set(listing.names);
    const { known, leftOut } = this.#entries;
    const gone = [...known.keys(), ...leftOut.keys()].filter((name) => !listed.has(name));
    const changed = await changedEntries({
      folder: resolution.realPath,
      names: listing.names,
      known: (name) => this.#entries.state(name),
      wasSeen: (name) => budget.has(root, name),
      looked: () => counters.count('gatehouse_source_looks_total', { by: 'check' }),
    });
    const all = new Set([...gone, ...changed]);
    return [...all].some(isUnnameable) ? 'all' : all;
  }

  async #scan(scope: ScanScope, othersWait: () => boolean): Promise<EntryOrder | undefined> {
    const resolution = await followLinks(parse(this.#absolute).root, this.#absolute);
    const isFolder = resolution.end === 'found' && resolution.stats.isDirectory();
    const all = isFolder ? [{ folder: resolution.realPath, name: undefined }] : [];
    this.#parts.plan.set(this.#parts.root, undefined, [...resolution.entries, ...all]);
    if (resolution.end === 'absent') return this.#missing('does not exist');
    if (resolution.end === 'failed') return this.#missing(`cannot be looked at (${resolution.code})`);
    if (resolution.stats.isFile()) return this.#scanFile(resolution);
    if (resolution.stats.isDirectory()) return this.#scanFolder(resolution, scope, othersWait);
    return this.#missing('is neither a file nor a folder');
  }

  async #scanFile(resolution: Found): Promise<undefined> {
    const { budget, root, store } = this.#parts;
    this.#more = 0;
    budget.list(root, [''], false);
    await this.#entries.deleteUnlisted();
    budget.set(root, '', countedBytes(resolution.stats));
    this.#folder = undefined;
    if (!budget.admits(root, ''))
      this.#entries.leaveOut(this.#entries.file('', resolution.realPath), fingerprintOf(resolution.stats));
    else if (!(await this.#read('', resolution))) return this.#missing('does not exist');
    else this.#entries.admit('');
    store.rootFound(root);
  }

  async #scanFolder(
    { realPath, entries }: Found,
    scope: ScanScope,
    othersWait: () => boolean,
  ): Promise<EntryOrder | undefined> {
    const { budget, plan, root, store } = this.#parts;
    const order = scope.left ?? new EntryOrder();
    order.add(scope.names, (name) => store.counts({ root, name }));
    if (scope.all) {
      let listing: FolderListing;
      try {
        listing = await this.#list(realPath);
      } catch (error) {
        plan.set(root, undefined, entries);
        return this.#missing(`cannot be listed (${codeOrReason(error)})`);
      }
      this.#unread = await unreadSubfolders(realPath, listing.folders);
      this.#more = listing.more;
      const listed = new Set(listing.names);
      order.keep((name) => listed.has(name));
      order.add(listed);
      budget.list(root, listing.names, listing.more > 0);
      await this.#entries.deleteUnlisted();
    }
    this.#folder = realPath;
    store.rootFound(root, this.#unread);
    await this.#scanEntries(realPath, order, othersWait);
    return order;
  }

  /** Lists one name more than is read, to name it. */
  #list(folder: string): Promise<FolderListing> {
    return listFolder(folder, { names: this.#parts.budget.maxFiles + 1, folders: mostFolders });
  }

  /** @param order of all, if they are all: whether there is room for a file depends on the sizes before it */
  async #scanEntries(folder: string, order: EntryOrder, othersWait: () => boolean): Promise<void> {
    const { clock } = this.#parts;
    const began = clock.monotonic();
    while (order.size > 0) {
      if (this.#scanned && clock.monotonic() - began > (othersWait() ? maxHeld : maxScan)) return;
      const some = order.take(concurrency);
      const found = await Promise.all(some.map((name) => this.#look(folder, name)));
      await inTurns(this.#delete(some, found), clock, () => setImmediate());
      await Promise.all(found.map((resolution, n) => this.#take(folder, some[n] ?? '', resolution)));
    }
  }

  /** Deletes those that do not exist, in steps: each of them may have had 20,000 objects. */
  *#delete(names: readonly string[], found: readonly Resolution[]): Generator<void> {
    for (const [n, name] of names.entries()) {
      if (found[n]?.end === 'absent' && !isUnnameable(name)) this.#entries.delete(name);
      yield;
    }
  }

  async #look(folder: string, name: string): Promise<Resolution> {
    const { budget, counters, plan, root } = this.#parts;
    counters.count('gatehouse_source_looks_total', { by: 'change' });
    const resolution = await followLinks(folder, name);
    if (resolution.entries.length > 1) plan.set(root, name, resolution.entries);
    else plan.delete(root, name);
    // A link that leads nowhere is an entry, too.
    const exists = resolution.end !== 'absent' || resolution.entries.length > 1 || isUnnameable(name);
    if (exists) budget.set(root, name, countedBytes(resolution.end === 'found' ? resolution.stats : undefined));
    else budget.remove(root, name);
    return resolution;
  }

  async #take(folder: string, name: string, resolution: Resolution): Promise<void> {
    const { budget, loader, root } = this.#parts;
    const entries = this.#entries;
    if (resolution.end === 'absent' && !isUnnameable(name)) return;
    const file = entries.file(name, resolution.end === 'found' ? resolution.realPath : join(folder, name));
    const isAdmitted = budget.admits(root, name);
    if (resolution.end !== 'found') {
      const fingerprint = resolution.end === 'failed' ? failureOf(resolution) : '';
      if (!isAdmitted) return entries.leaveOut(file, fingerprint);
      entries.set(file, fingerprint);
      entries.settling.forget(name);
      return loader.load(file, unreadableContent(resolution.end === 'failed' ? resolution.code : undefined));
    }
    const { stats } = resolution;
    if (!stats.isFile()) return this.#ignore(file, resolution);
    if (!isAdmitted) return entries.leaveOut(file, fingerprintOf(stats));
    entries.admit(name);
    if (!(await this.#read(name, resolution))) entries.delete(name);
  }

  /** What is no file has no content: it is as if it were not there, and said unless it is a folder. */
  #ignore(file: ManifestFile, { stats }: Found): void {
    const { loader, store } = this.#parts;
    const { name } = file;
    this.#entries.settling.forget(name);
    this.#entries.postponed.delete(name);
    loader.remove(file);
    this.#entries.set(file, fingerprintOf(stats));
    if (!stats.isDirectory())
      store.ignoreFile(file, 'This is no regular file, and is not read: remove it, or rename it.');
  }

  /** Reads the file if it changed and counts. Returns false if it does not exist. */
  async #read(name: string, { realPath, stats, entries }: Found): Promise<boolean> {
    const { loader, arrivals, clock, counters } = this.#parts;
    const known = this.#entries.known.get(name);
    const fingerprint = fingerprintOf(stats);
    if (known?.fingerprint === fingerprint && known.file.realPath === realPath) {
      this.#entries.settling.forget(name);
      return true;
    }
    const file = this.#entries.file(name, realPath);
    const entry = entryIn((await folderIdentity(dirname(realPath))) ?? '', basename(realPath));
    const whole = isWhole(stats) && arrivals.has(entry);
    const replaced = known !== undefined && known.file.realPath !== realPath && entries.some(isMountedVersion);
    if (!whole && !replaced && this.#waits(file, entry, fingerprint, Number(stats.ctimeMs))) return true;
    // Whoever saved it with others waits for it no longer.
    const late = this.#entries.postponed.delete(name);
    const endReading = loader.reserve(file, Number(stats.size));
    if (typeof endReading !== 'function') {
      this.#entries.postponed.add(name, endReading);
      // As it was known, so that what a replaced link leads to counts at once also later.
      return this.#await(known?.file ?? file);
    }
    counters.count('gatehouse_source_reads_total');
    const state = await readManifestFile(realPath, fingerprint, clock).finally(endReading);
    if (state.kind === 'absent') return false;
    // A write that has begun while the file was read is reported within one turn of the event loop.
    if (whole) await setImmediate().then(() => setImmediate());
    if (state.kind === 'torn' || (whole && !arrivals.take(entry))) return this.#await(file);
    this.#entries.settling.forget(name);
    this.#entries.set(file, state.fingerprint);
    await loader.load(file, state.content, late);
    return true;
  }

  /** Returns whether a file that may be half written has to be waited for. */
  #waits(file: ManifestFile, entry: FolderEntry, fingerprint: Fingerprint, changed: number): boolean {
    const { store, arrivals } = this.#parts;
    arrivals.take(entry);
    const settled = this.#entries.settling.observe(file.name, fingerprint, this.#scanned ? undefined : changed);
    if (settled === 'settled') return false;
    this.#await(file);
    if (settled === 'restless')
      store.setFile(file, { ok: false, position: undefined, reason: restless, possible: 'any' });
    return true;
  }

  #await(file: ManifestFile): true {
    this.#entries.set(file, undefined);
    this.#parts.store.awaitFile(file);
    return true;
  }

  #missing(reason: string): undefined {
    this.#folder = undefined;
    this.#entries.settling.clear();
    this.#parts.store.rootMissing(this.#parts.root, reason);
  }
}
