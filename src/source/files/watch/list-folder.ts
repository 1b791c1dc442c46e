import { opendir } from 'node:fs/promises';
import { compareNames } from '../manifest/manifest-file.ts';

/** The entries of a folder that matter. */
export interface FolderListing {
  /** The first names of manifests, sorted. */
  readonly names: readonly string[];
  /** The number of further manifests, all of them after these. */
  readonly more: number;
  /** The first folders within it, sorted, without those of other programs. */
  readonly folders: readonly string[];
}

/** Entries that are read at once. */
const bufferSize = 256;

/** Returns true for entries that are read: those of `kubectl apply -f`, without hidden ones. */
export function isManifestName(name: string): boolean {
  return /^[^.].*\.(?:yaml|yml|json)$/s.test(name);
}

/**
 * Returns true for a name that is not UTF-8: no file can be opened by it. Only a listing tells whether such an entry
 * exists, so that scans of all look at it, and no others.
 */
export function isUnnameable(name: string): boolean {
  return name.includes('\u{fffd}');
}

/** Returns true for folders with the files of other programs. Hidden ones are left out as hidden files are. */
export function isOtherPrograms(folder: string): boolean {
  return folder.startsWith('.') || folder === 'node_modules';
}

/**
 * Lists a folder, however many entries it has: the order in which a file system returns them does not matter, and only
 * some thousands more names than are wanted are in memory.
 *
 * @throws the error of the file system
 */
export async function listFolder(
  path: string,
  most: { readonly names: number; readonly folders: number },
): Promise<FolderListing> {
  const names = new SmallestNames(most.names);
  const folders = new SmallestNames(most.folders);
  for await (const entry of await opendir(path, { bufferSize })) {
    if (isManifestName(entry.name)) names.add(entry.name);
    if (entry.isDirectory() && !isOtherPrograms(entry.name)) folders.add(entry.name);
  }
  return { ...names.take(), folders: folders.take().names };
}

/** Names that are collected beyond those that are wanted, before the last of all are dropped: sorting takes 3 ms. */
const maxBeyond = 4_096;

/** The first of many names. */
class SmallestNames {
  readonly #most: number;
  readonly #names: string[] = [];
  /** The last of those that are wanted, once there are more. */
  #last: string | undefined;
  #dropped = 0;

  constructor(most: number) {
    this.#most = most;
  }

  add(name: string): void {
    if (this.#last !== undefined && compareNames(name, this.#last) > 0) {
      this.#dropped += 1;
      return;
    }
    this.#names.push(name);
    if (this.#names.length >= this.#most + maxBeyond) this.#cut();
  }

  take(): { readonly names: readonly string[]; readonly more: number } {
    this.#cut();
    return { names: this.#names, more: this.#dropped };
  }

  #cut(): void {
    this.#names.sort(compareNames);
    if (this.#names.length <= this.#most) return;
    this.#dropped += this.#names.length - this.#most;
    this.#names.length = this.#most;
    this.#last = this.#names.at(-1);
  }
}
