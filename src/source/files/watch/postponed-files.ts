/**
 * Entries whose files are large, and are read when there is room to parse them. They are taken up as many at a time as have
 * room: ten thousand of them must not be looked at again with each that was parsed.
 */
export class PostponedFiles {
  /** In the order in which they came; true: a scan of it is requested. */
  readonly #names = new Map<string, boolean>();

  add(name: string): void {
    this.#names.set(name, false);
  }

  /** Forgets an entry: it is read, or has no part any more. Returns whether it was postponed. */
  delete(name: string): boolean {
    return this.#names.delete(name);
  }

  /** Takes the first that were not taken yet. They stay known until they are read, or postponed again. */
  take(most: number): ReadonlySet<string> {
    const taken = new Set<string>();
    for (const [name, isRequested] of this.#names) {
      if (taken.size >= most) break;
      if (!isRequested) taken.add(name);
    }
    for (const name of taken) this.#names.set(name, true);
    return taken;
  }
}
