import { type FSWatcher, watch } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { Clock, Logger } from '../../../edges.ts';
import { codeOrReason } from '../../../net/errors.ts';
import { LogThrottle } from '../../../rate/log-throttle.ts';
import type { EntryEvent } from './arrivals.ts';

/** A folder that is watched, by its path and by {@link folderIdentity}. */
interface WatchedFolder {
  readonly path: string;
  readonly identity: string;
}

/** Callback and dependencies of the watcher. */
export interface FolderWatcherParts {
  readonly clock: Clock;
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

/**
 * Folders that are watched. Links can lead to as many folders as there are links, and each is asked for its identity after
 * each scan.
 */
const maxFolders = 256;

/** Watches a set of folders. Those that cannot be watched are logged, and left to the periodic scan. */
export class FolderWatcher {
  readonly #parts: FolderWatcherParts;
  readonly #watched = new Map<string, Watched>();
  readonly #throttle: LogThrottle;

  constructor(parts: FolderWatcherParts) {
    this.#parts = parts;
    this.#throttle = new LogThrottle(parts.clock, parts.log);
  }

  /** Replaces the set of folders. Returns those that are new: changes in them until now had no event. */
  async watchOnly(folders: ReadonlySet<string>): Promise<readonly string[]> {
    const some = new Set([...folders].slice(0, maxFolders));
    for (const folder of this.#watched.keys()) if (!some.has(folder)) this.#close(folder);
    const [first] = [...folders].slice(maxFolders);
    if (first !== undefined) this.#unwatched(first, `links lead to more than ${maxFolders} folders`);
    const added: string[] = [];
    for (const folder of some) if (await this.#ensure(folder)) added.push(folder);
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
    this.#unwatched(folder, codeOrReason(error));
  }

  /** One line for all folders: there can be as many as links. */
  #unwatched(folder: string, error: string): void {
    const message = 'a folder cannot be watched: changes in it are noticed some seconds later';
    if (this.#throttle.admit('', error)) this.#parts.log.warn(message, { folder, error });
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
