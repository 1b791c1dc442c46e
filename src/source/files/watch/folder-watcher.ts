import { type FSWatcher, watch } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { Logger } from '../../../edges.ts';
import { codeOrReason } from '../../../net/errors.ts';
import type { EntryEvent } from './arrivals.ts';

/** A folder that is watched, by its path and by {@link folderIdentity}. */
interface WatchedFolder {
  readonly path: string;
  readonly identity: string;
}

/** Callback and dependencies of the watcher. */
export interface FolderWatcherParts {
  readonly log: Logger;
  /** An entry of the folder changed; undefined: the folder itself, or an unknown entry. */
  readonly changed: (folder: WatchedFolder, name: string | undefined, event: EntryEvent) => void;
}

/** Only inotify reports renames and writes apart, and both in their order. */
const tellsRenames = process.platform === 'linux';

interface Watched {
  readonly watcher: FSWatcher;
  /** That of the watched folder: its path may lead to another one meanwhile. */
  readonly identity: string;
}

/** Watches a set of folders. One that cannot be watched is logged once, and left to the periodic scan. */
export class FolderWatcher {
  readonly #parts: FolderWatcherParts;
  readonly #watched = new Map<string, Watched>();
  readonly #unwatchable = new Set<string>();

  constructor(parts: FolderWatcherParts) {
    this.#parts = parts;
  }

  /** Replaces the set of folders. Returns true if it has new ones: changes in them until now had no event. */
  async watchOnly(folders: ReadonlySet<string>): Promise<boolean> {
    for (const folder of this.#watched.keys()) if (!folders.has(folder)) this.#close(folder);
    let added = false;
    for (const folder of folders) if (await this.#ensure(folder)) added = true;
    return added;
  }

  close(): void {
    for (const folder of this.#watched.keys()) this.#close(folder);
  }

  async #ensure(folder: string): Promise<boolean> {
    const identity = await folderIdentity(folder);
    if (identity !== undefined && this.#watched.get(folder)?.identity === identity) return false;
    this.#close(folder);
    return identity !== undefined && this.#open(folder, identity);
  }

  #open(folder: string, identity: string): boolean {
    try {
      const watcher = watch(folder, { persistent: false }, (event, name) =>
        this.#parts.changed({ path: folder, identity }, name ?? undefined, tellsRenames ? event : 'change'),
      );
      watcher.on('error', (error) => this.#failed(folder, error));
      this.#watched.set(folder, { watcher, identity });
      return true;
    } catch (error) {
      this.#failed(folder, error);
      return false;
    }
  }

  #failed(folder: string, error: unknown): void {
    this.#close(folder);
    if (this.#unwatchable.has(folder)) return;
    this.#unwatchable.add(folder);
    const message = 'a folder cannot be watched: changes in it are noticed some seconds later';
    this.#parts.log.warn(message, { folder, error: codeOrReason(error) });
  }

  #close(folder: string): void {
    this.#watched.get(folder)?.watcher.close();
    this.#watched.delete(folder);
  }
}

/**
 * Returns what identifies the folder that a path leads to now; undefined if it leads to none. A folder that is removed
 * and created again often gets the same inode, and has another time of birth.
 */
export async function folderIdentity(path: string): Promise<string | undefined> {
  try {
    const { dev, ino, birthtimeNs } = await stat(path, { bigint: true });
    return `${dev}:${ino}:${birthtimeNs}`;
  } catch {
    return undefined;
  }
}
