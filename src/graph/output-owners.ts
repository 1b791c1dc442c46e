/**
 * The owners of output keys: the input keys that produce them. An output key with several owners is a conflict. Nearly
 * every output key has one owner, so that case costs one map entry and no set.
 */
export class OutputOwners {
  /** Output key → its only owner, or its two or more owners when they conflict. */
  readonly #owners = new Map<string, string | Set<string>>();
  /** Input key → those of its output keys that are in conflict. */
  readonly #conflicts = new Map<string, Set<string>>();

  /** The owner of an output key without a conflict. */
  soleOwnerOf(outputKey: string): string | undefined {
    const owners = this.#owners.get(outputKey);
    return typeof owners === 'string' ? owners : undefined;
  }

  ownersOf(outputKey: string): Iterable<string> {
    const owners = this.#owners.get(outputKey) ?? [];
    return typeof owners === 'string' ? [owners] : owners;
  }

  /** The output keys of an input key that are in conflict. */
  conflictsOf(inputKey: string): ReadonlySet<string> | undefined {
    return this.#conflicts.get(inputKey);
  }

  add(outputKey: string, inputKey: string): void {
    const owners = this.#owners.get(outputKey);
    if (owners === undefined) {
      this.#owners.set(outputKey, inputKey);
    } else if (typeof owners === 'string') {
      this.#owners.set(outputKey, new Set([owners, inputKey]));
      this.#addConflict(outputKey, owners);
      this.#addConflict(outputKey, inputKey);
    } else {
      owners.add(inputKey);
      this.#addConflict(outputKey, inputKey);
    }
  }

  remove(outputKey: string, inputKey: string): void {
    const owners = this.#owners.get(outputKey);
    if (owners === undefined || typeof owners === 'string') {
      this.#owners.delete(outputKey);
      return;
    }
    owners.delete(inputKey);
    this.#removeConflict(outputKey, inputKey);
    const [last, another] = owners;
    if (last === undefined || another !== undefined) return;
    this.#owners.set(outputKey, last);
    this.#removeConflict(outputKey, last);
  }

  /** Counts the entries held, for the dump. */
  count(): number {
    return this.#owners.size + this.#conflicts.size;
  }

  #addConflict(outputKey: string, inputKey: string): void {
    const conflicts = this.#conflicts.get(inputKey);
    if (conflicts === undefined) this.#conflicts.set(inputKey, new Set([outputKey]));
    else conflicts.add(outputKey);
  }

  #removeConflict(outputKey: string, inputKey: string): void {
    const conflicts = this.#conflicts.get(inputKey);
    conflicts?.delete(outputKey);
    if (conflicts?.size === 0) this.#conflicts.delete(inputKey);
  }
}
