import { SortedMembers } from './sorted-members.ts';

/** The members of one group. A large group takes one more without being touched as a whole. */
interface Group<V> {
  readonly keys: Set<string>;
  readonly sorted: SortedMembers<V>;
}

/** Which members of a collection are in which groups. */
export class Memberships<V> {
  readonly #lookUp: (key: string) => V | undefined;
  readonly #groups = new Map<string, Group<V>>();
  /** Member → its groups: what it has to leave when its value is gone already. */
  readonly #groupsOf = new Map<string, readonly string[]>();

  /** @param lookUp the present value of a member */
  constructor(lookUp: (key: string) => V | undefined) {
    this.#lookUp = lookUp;
  }

  /** The groups, which all have members. */
  get groups(): ReadonlyMap<string, unknown> {
    return this.#groups;
  }

  /** The values of the members of a group in the order of their keys. */
  read(group: string): readonly V[] {
    return this.#groups.get(group)?.sorted.read() ?? nobody;
  }

  /** Puts a member, whose value may be another one, into these groups and no others. Adds to `touched` what changed. */
  move(key: string, groups: readonly string[], touched: Set<string>): void {
    const staying = new Set(groups);
    for (const group of this.#groupsOf.get(key) ?? []) {
      touched.add(group);
      if (!staying.has(group)) this.#leave(key, group);
    }
    for (const group of groups) {
      touched.add(group);
      this.#enter(key, group);
    }
    if (groups.length === 0) this.#groupsOf.delete(key);
    else this.#groupsOf.set(key, groups);
  }

  countEntries(): number {
    return this.#groups.size + this.#groupsOf.size;
  }

  #enter(key: string, name: string): void {
    const group = this.#groups.get(name) ?? this.#createGroup(name);
    if (group.keys.has(key)) group.sorted.changed();
    else group.sorted.moved();
    group.keys.add(key);
  }

  #leave(key: string, name: string): void {
    const group = this.#groups.get(name);
    group?.keys.delete(key);
    group?.sorted.moved();
    if (group?.keys.size === 0) this.#groups.delete(name);
  }

  #createGroup(name: string): Group<V> {
    const keys = new Set<string>();
    const group = { keys, sorted: new SortedMembers(() => keys, this.#lookUp) };
    this.#groups.set(name, group);
    return group;
  }
}

const nobody: readonly never[] = Object.freeze([]);
