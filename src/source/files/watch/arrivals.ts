/** The kind of an event of `fs.watch`: `rename` for an entry that appeared or went, `change` for a write to it. */
export type EntryEvent = 'rename' | 'change';

/** An entry of a folder, which `folderIdentity` identifies: the path of the folder may lead to another one. */
export type FolderEntry = string;

/** Identifies an entry of a folder by the folder's identity, which stays when a path leads elsewhere. */
export function entryIn(folderIdentity: string, name: string): FolderEntry {
  return `${folderIdentity}/${name}`;
}

/** Entries that are remembered. Those that were not asked for the longest give way, such as links, which nobody asks for. */
const maxEntries = 10_000;

/** Events of one turn of the event loop that are believed: a quarter of what Linux queues before it drops others. */
const maxEvents = 4096;

/**
 * The directory entries that were renamed (or linked) into a watched folder, so that their content was whole when they
 * appeared. Linux reports a creation and a rename alike; but a file that is created is written under its own name, which
 * is reported too.
 */
export class Arrivals {
  readonly #arrived = new Set<string>();
  /** In this turn of the event loop, which takes all that Linux has queued: what it dropped was beyond a full queue. */
  #events = 0;

  /** Records an event of an entry. */
  record(entry: FolderEntry, event: EntryEvent): void {
    this.#events += 1;
    if (this.#events === 1) setImmediate(() => this.#endTurn());
    this.#arrived.delete(entry);
    // A write that was dropped is one of an entry that has arrived before or just now.
    if (this.#events > maxEvents) this.#arrived.clear();
    else if (event === 'rename') this.#add(entry);
  }

  /** Returns whether the entry appeared and was not written since. */
  has(entry: FolderEntry): boolean {
    return this.#arrived.has(entry);
  }

  /** Forgets an entry, and returns what {@link has} returned: a file that grows from now on has not arrived. */
  take(entry: FolderEntry): boolean {
    const arrived = this.has(entry);
    this.#arrived.delete(entry);
    return arrived;
  }

  #add(entry: FolderEntry): void {
    this.#arrived.add(entry);
    const [oldest] = this.#arrived;
    if (this.#arrived.size > maxEntries && oldest !== undefined) this.#arrived.delete(oldest);
  }

  #endTurn(): void {
    this.#events = 0;
  }
}
