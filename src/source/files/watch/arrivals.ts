/** The kind of an event of `fs.watch`: `rename` for an entry that appeared or went, `change` for a write to it. */
export type EntryEvent = 'rename' | 'change';

/** An entry of a folder, which `folderIdentity` identifies: the path of the folder may lead to another one. */
export type FolderEntry = string;

/** Identifies an entry of a folder by the folder's identity, which stays when a path leads elsewhere. */
export function entryIn(folderIdentity: string, name: string): FolderEntry {
  return `${folderIdentity}/${name}`;
}

/** Entries that are remembered: further ones have to stand still, like those that are written in place. */
const maxEntries = 1000;

/** Events of one burst that are believed: a quarter of what Linux queues before it drops events without a word. */
const maxEvents = 4096;

/**
 * The directory entries that were renamed (or linked) into a watched folder, so that their content was whole when they
 * appeared. Linux reports a creation and a rename alike; but a file that is created is written under its own name, which
 * is reported too.
 */
export class Arrivals {
  readonly #arrived = new Set<string>();
  #events = 0;

  /** Records an event of an entry. */
  record(entry: FolderEntry, event: EntryEvent): void {
    this.#events += 1;
    if (event === 'change') this.#arrived.delete(entry);
    else if (this.#arrived.size < maxEntries) this.#arrived.add(entry);
  }

  /** Begins a scan: what it asks for are the events until now, and those that follow while it reads. */
  beginScan(): void {
    if (this.#events > maxEvents) this.#arrived.clear();
    this.#events = 0;
  }

  /** Returns whether the entry appeared and was not written since. */
  has(entry: FolderEntry): boolean {
    return this.#events <= maxEvents && this.#arrived.has(entry);
  }

  /** Forgets an entry, and returns what {@link has} returned: a file that grows from now on has not arrived. */
  take(entry: FolderEntry): boolean {
    const arrived = this.has(entry);
    this.#arrived.delete(entry);
    return arrived;
  }
}
