import { structurallyEqual } from './equality.ts';
import { toError } from './failure.ts';
import type { Change, Collection, CollectionDump, Commit, Equals } from './model.ts';
import { type Cell, Cells, createWholeCell } from './dependencies.ts';
import { SortedMembers } from './sorted-members.ts';
import type { GraphState } from './node.ts';
import type { Dependent, Walk } from './step.ts';

/**
 * The inside of every collection: the values held, what is staged to replace them, and who wants to know.
 * Changes are staged first and settled once per commit, so that only their sum counts: what goes and comes back within
 * one step, or one batch, was never gone.
 */
export class Store<V> implements Collection<V> {
  readonly name: string;
  /** In the order of creation; reading goes from later to earlier ones only. */
  readonly position: number;
  /** Who may read a single key, and who read them all. */
  readonly cells: Cells;
  readonly whole: Cell;
  protected readonly state: GraphState;
  readonly #equals: Equals<V>;
  readonly #values = new Map<string, V>();
  readonly #staged = new Map<string, V | undefined>();
  readonly #sorted: SortedMembers<V>;
  readonly #followers: Dependent[] = [];
  /** Keyed by commit, so that a commit can be asked as long as somebody keeps it, and costs nothing afterwards. */
  readonly #changes = new WeakMap<Commit, readonly Change<V>[]>();

  constructor(state: GraphState, options: { readonly name: string; readonly equals?: Equals<V> }) {
    this.state = state;
    this.name = options.name;
    this.position = state.enroll(this.name);
    this.cells = new Cells(`get ${this.name}`);
    this.whole = createWholeCell(this.name);
    this.#equals = options.equals ?? structurallyEqual;
    this.#sorted = new SortedMembers(
      () => this.#values.keys(),
      (key) => this.#values.get(key),
    );
  }

  get size(): number {
    this.state.assertReadable(this.name);
    return this.#values.size;
  }

  get(key: string): V | undefined {
    this.state.assertReadable(this.name);
    return this.#values.get(key);
  }

  entries(): IterableIterator<[key: string, value: V]> {
    this.state.assertReadable(this.name);
    return this.#values.entries();
  }

  belongsTo(state: GraphState): boolean {
    return this.state === state;
  }

  /** Same value? The question that decides where a change stops. */
  equals(a: V, b: V): boolean {
    return Object.is(a, b) || this.#equals(a, b);
  }

  keys(): Iterable<string> {
    return this.#values.keys();
  }

  /** The value, for readers that record or need no record. */
  held(key: string): V | undefined {
    return this.#values.get(key);
  }

  /** Every value in the order of the keys, for readers that record. */
  sorted(): readonly V[] {
    return this.#sorted.read();
  }

  /** From now on tells every changed key; those that exist already count as changed. */
  follow(follower: Dependent): void {
    this.#followers.push(follower);
    for (const key of this.#values.keys()) follower.mark(key);
  }

  /** `undefined` stands for no value. */
  stage(key: string, value: V | undefined): void {
    this.#staged.set(key, value);
  }

  /** Forgets what was staged. */
  discard(): void {
    this.#staged.clear();
  }

  /** Makes what was staged the state, keeps what that changed for the commit, and wakes whoever depends on it. */
  settle(walk: Walk): void {
    if (this.#staged.size === 0) return;
    const changes: Change<V>[] = [];
    for (const [key, after] of this.#staged) {
      const before = this.#values.get(key);
      if (this.#same(key, before, after, walk)) continue;
      this.#hold(key, before, after);
      changes.push({ key, before, after });
    }
    this.#staged.clear();
    if (changes.length === 0) return;
    this.#changes.set(walk, changes);
    for (const { key } of changes) {
      for (const follower of this.#followers) follower.mark(key);
      this.cells.wake(key);
    }
    this.whole.wake();
  }

  changesIn(commit: Commit): readonly Change<V>[] {
    return this.#changes.get(commit) ?? [];
  }

  /** The row of the dump, to which others add what they know. */
  row(kind: CollectionDump['kind'], inputs: readonly string[]): CollectionDump {
    const bookkeeping = this.cells.countReaders() + this.whole.size + this.#staged.size;
    return { name: this.name, kind, size: this.#values.size, inputs, runs: 0, bookkeeping };
  }

  /** Values whose comparison throws count as different: the change goes through, and the bug is reported. */
  #same(key: string, before: V | undefined, after: V | undefined, walk: Walk): boolean {
    if (before === undefined || after === undefined) return before === after;
    try {
      return this.equals(before, after);
    } catch (thrown) {
      walk.fail({ collection: this.name, key, error: toError(thrown) });
      return false;
    }
  }

  #hold(key: string, before: V | undefined, after: V | undefined): void {
    if (after === undefined) this.#values.delete(key);
    else this.#values.set(key, after);
    if (before === undefined || after === undefined) this.#sorted.moved();
    else this.#sorted.changed();
  }
}

function isStore<V>(collection: Collection<V>): collection is Store<V> {
  return collection instanceof Store;
}

/** The inside of a collection; throws for one that is not of this graph. */
export function storeOf<V>(state: GraphState, collection: Collection<V>): Store<V> {
  if (isStore(collection) && collection.belongsTo(state)) return collection;
  throw new Error(`"${collection.name}" is not a collection of this graph.`);
}
