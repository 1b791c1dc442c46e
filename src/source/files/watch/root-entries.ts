import { sep } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import type { Clock } from '../../../edges.ts';
import { quoted } from '../../../json/quoted.ts';
import { inTurns } from '../../../rate/turns.ts';
import { compareNames, type ManifestFile } from '../manifest/manifest-file.ts';
import type { ManifestStore } from '../manifest-store.ts';
import type { FileLength, ManifestLoader, WaitingRoom } from '../parsing/manifest-loader.ts';
import type { KnownEntry } from './folder-check.ts';
import type { ManifestBudget } from './manifest-budget.ts';
import type { Fingerprint } from './read-file.ts';
import { Settling } from './settling.ts';
import type { WatchPlan } from './watch-plan.ts';

/** A root of `-f`, and where its entries are taken note of. */
export interface RootEntriesParts {
  /** Index among the roots of `-f`. */
  readonly root: number;
  /** As given. */
  readonly path: string;
  readonly store: ManifestStore;
  readonly loader: ManifestLoader;
  /** Shared by all roots. */
  readonly budget: ManifestBudget;
  /** Gets the entries that the scans depend on. */
  readonly plan: WatchPlan;
  /** Milliseconds that a file has to stand still after it was written in place. */
  readonly settle: number;
  readonly clock: Clock;
}

interface Known {
  readonly file: ManifestFile;
  /** That of the content that counts; undefined: to be read again. */
  readonly fingerprint: Fingerprint | undefined;
}

/**
 * Entries whose files are large, and are read when there is room to parse them. They are taken up as many at a time as have
 * room: ten thousand of them must not be looked at again with each that was parsed.
 */
class PostponedFiles {
  /** In the order in which they came. */
  readonly #names = new Map<string, { readonly length: FileLength; readonly isRequested: boolean }>();

  add(name: string, length: FileLength): void {
    this.#names.set(name, { length, isRequested: false });
  }

  /** Forgets an entry: it is read, or has no part any more. Returns whether it was postponed. */
  delete(name: string): boolean {
    return this.#names.delete(name);
  }

  /** Takes the first that were not taken yet. They stay known until they are read, or postponed again. */
  take(room: WaitingRoom): ReadonlySet<string> {
    const taken = new Set<string>();
    const left = { ...room };
    for (const [name, { length, isRequested }] of this.#names) {
      if (left.long + left.short === 0) break;
      if (isRequested || left[length] === 0) continue;
      left[length] -= 1;
      taken.add(name);
      this.#names.set(name, { length, isRequested: true });
    }
    return taken;
  }
}

/** What is known of the entries of one root. An entry is known, left out, or neither: then it has no content. */
export class RootEntries {
  readonly #parts: RootEntriesParts;
  readonly #known = new Map<string, Known>();
  /** Those that are not read for want of room, with what identifies their content. */
  readonly #leftOut = new Map<string, Fingerprint>();
  /** Those that were written in place and do not count yet. */
  readonly settling: Settling;
  /** Those that are read when there is room to parse them. */
  readonly postponed: PostponedFiles = new PostponedFiles();

  constructor(parts: RootEntriesParts) {
    this.#parts = parts;
    this.settling = new Settling(parts.settle, parts.clock);
  }

  /** Those whose content counts, or will. */
  get known(): ReadonlyMap<string, Known> {
    return this.#known;
  }

  get leftOut(): ReadonlyMap<string, Fingerprint> {
    return this.#leftOut;
  }

  /** Names a file by its entry, and by where its content is. */
  file(name: string, realPath: string): ManifestFile {
    const { root, path } = this.#parts;
    // Messages are lines: a name may have line breaks, and what a terminal takes for a command.
    const shown = quoted(name) === `"${name}"` ? name : quoted(name);
    const entry = path.endsWith(sep) ? `${path}${shown}` : `${path}${sep}${shown}`;
    return { root, name, path: name === '' ? path : entry, realPath };
  }

  /** What is known of an entry, as a check compares it; undefined: it has no content. */
  state(name: string): KnownEntry | undefined {
    const leftOut = this.#leftOut.get(name);
    if (leftOut !== undefined) return { fingerprint: leftOut, realPath: undefined };
    const known = this.#known.get(name);
    return known && { fingerprint: known.fingerprint, realPath: known.file.realPath };
  }

  /** The entry has content. @param fingerprint undefined: it is to be read again */
  set(file: ManifestFile, fingerprint: Fingerprint | undefined): void {
    this.#leftOut.delete(file.name);
    this.#known.set(file.name, { file, fingerprint });
  }

  /** There is room for the entry. */
  admit(name: string): void {
    this.#leftOut.delete(name);
  }

  /** There is no room for the entry. */
  leaveOut(file: ManifestFile, fingerprint: Fingerprint): void {
    const { loader, store } = this.#parts;
    const { name } = file;
    this.settling.forget(name);
    this.postponed.delete(name);
    this.#leftOut.set(name, fingerprint);
    if (this.#known.delete(name)) loader.remove(file);
    store.leaveOut(file);
  }

  /** The entry does not exist. */
  delete(name: string): void {
    const file = this.#known.get(name)?.file ?? this.file(name, '');
    const wasLeftOut = this.#leftOut.delete(name);
    this.postponed.delete(name);
    if (!this.#known.delete(name) && !wasLeftOut) return;
    this.settling.forget(name);
    this.#parts.loader.remove(file);
  }

  /** Deletes the entries that the budget does not list, in turns. */
  deleteUnlisted(): Promise<void> {
    const { budget, plan, root } = this.#parts;
    const all = new Set([...this.#known.keys(), ...this.#leftOut.keys(), ...plan.scansOf(root)]);
    const isUnlisted = (name: string): boolean => !budget.has(root, name);
    return this.#inTurns(all, isUnlisted, (name) => {
      this.delete(name);
      plan.delete(root, name);
    });
  }

  /** Leaves out the entries that have no room any more, in turns. */
  leaveOutCrowded(): Promise<void> {
    const { budget, root } = this.#parts;
    const isCrowded = (name: string): boolean => !budget.admits(root, name);
    return this.#inTurns(this.#known.keys(), isCrowded, (name) => {
      const known = this.#known.get(name);
      if (known !== undefined) this.leaveOut(known.file, known.fingerprint ?? '');
    });
  }

  /**
   * Removes entries: there may be ten thousand. The last one goes first, so that also between two turns none counts that
   * comes after one that does not; and one that is not to be removed any more, because of what others did meanwhile, stays.
   */
  async #inTurns(
    names: Iterable<string>,
    isRemoved: (name: string) => boolean,
    remove: (name: string) => void,
  ): Promise<void> {
    const removed = [...names].filter(isRemoved).sort((a, b) => compareNames(b, a));
    if (removed.length === 0) return;
    const steps = function* (): Generator<void, void> {
      for (const name of removed) {
        if (isRemoved(name)) remove(name);
        yield;
      }
    };
    await inTurns(steps(), this.#parts.clock, () => setImmediate());
  }
}
