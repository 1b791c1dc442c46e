import { createWholeDependency, Dependencies, type Dependency } from './dependencies.ts';
import { structurallyEqual } from './equality.ts';
import type { Change, Collection, CollectionDump, Commit, Derived, Equals, Failure, Source } from './model.ts';
import type { Dependent, Dumpable, GraphState, OpenCommit } from './node.ts';
import { sameFailure, toError } from './outcome.ts';

interface CollectionOptions<V> {
  readonly name: string;
  readonly equals?: Equals<V>;
}

/**
 * The storage of a collection: the current values, the staged ones, and the dependents of both. Changes are staged
 * first and applied once per commit, so that only their sum counts: a key that a batch or an update deletes and sets
 * again was never deleted.
 */
export class Store<V> implements Collection<V> {
  readonly name: string;
  /** The position in the order of creation; a node reads only from stores with a smaller one. */
  readonly position: number;
  /** The readers of single keys. */
  readonly dependencies: Dependencies;
  /** The readers of the whole collection. */
  readonly whole: Dependency;
  protected readonly state: GraphState;
  readonly #equals: Equals<V>;
  readonly #values = new Map<string, V>();
  readonly #staged = new Map<string, V | undefined>();
  readonly #sorted: SortedValues<V>;
  readonly #dependents: Dependent[] = [];
  /** Keyed by commit: a commit answers for as long as it is referenced, and costs nothing afterwards. */
  readonly #changes = new WeakMap<Commit, readonly Change<V>[]>();

  constructor(state: GraphState, options: CollectionOptions<V>) {
    this.state = state;
    this.name = options.name;
    this.position = state.register(this.name);
    this.dependencies = new Dependencies(`get ${this.name}`);
    this.whole = createWholeDependency(this.name);
    this.#equals = options.equals ?? structurallyEqual;
    this.#sorted = new SortedValues(
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

  /** Compares two values; a change stops where this returns true. */
  equals(a: V, b: V): boolean {
    return Object.is(a, b) || this.#equals(a, b);
  }

  keys(): Iterable<string> {
    return this.#values.keys();
  }

  /** Reads a value in any phase. The caller records the dependency, if it needs one. */
  lookup(key: string): V | undefined {
    return this.#values.get(key);
  }

  /** Reads all values in the order of the keys, in any phase. The caller records the dependency. */
  sortedValues(): readonly V[] {
    return this.#sorted.read();
  }

  /** Invalidates every changed key at the dependent from now on, and at once the keys that exist already. */
  addDependent(dependent: Dependent): void {
    this.#dependents.push(dependent);
    for (const key of this.#values.keys()) dependent.invalidate(key);
  }

  /** Stages the value of a key; `undefined` deletes the key. */
  stage(key: string, value: V | undefined): void {
    this.#staged.set(key, value);
  }

  discardStaged(): void {
    this.#staged.clear();
  }

  /** Makes the staged values current, keeps the changes for the commit, and invalidates the dependents. */
  applyStaged(commit: OpenCommit): void {
    if (this.#staged.size === 0) return;
    const changes: Change<V>[] = [];
    for (const [key, after] of this.#staged) {
      const before = this.#values.get(key);
      if (this.#unchanged(key, before, after, commit)) continue;
      this.#write(key, before, after);
      changes.push({ key, before, after });
    }
    this.#staged.clear();
    if (changes.length === 0) return;
    this.#changes.set(commit, changes);
    for (const { key } of changes) {
      for (const dependent of this.#dependents) dependent.invalidate(key);
      this.dependencies.invalidate(key);
    }
    this.whole.invalidate();
  }

  changesIn(commit: Commit): readonly Change<V>[] {
    return this.#changes.get(commit) ?? [];
  }

  /** The row of the dump, to which nodes add their own figures. */
  dumpRow(kind: CollectionDump['kind'], inputs: readonly string[]): CollectionDump {
    const bookkeeping = this.dependencies.countReaders() + this.whole.size + this.#staged.size;
    return { name: this.name, kind, size: this.#values.size, inputs, runs: 0, bookkeeping };
  }

  /** Values whose comparison throws count as different: the change is applied, and the error is a failure. */
  #unchanged(key: string, before: V | undefined, after: V | undefined, commit: OpenCommit): boolean {
    if (before === undefined || after === undefined) return before === after;
    try {
      return this.equals(before, after);
    } catch (thrown) {
      commit.addFailure({ collection: this.name, key, error: toError(thrown) });
      return false;
    }
  }

  #write(key: string, before: V | undefined, after: V | undefined): void {
    if (after === undefined) this.#values.delete(key);
    else this.#values.set(key, after);
    if (before === undefined || after === undefined) this.#sorted.invalidateKeys();
    else this.#sorted.invalidateValues();
  }
}

/** The store of a collection that the caller fills. A batch reads its own edits only after the commit. */
export class SourceStore<V> extends Store<V> implements Source<V>, Dumpable {
  set(key: string, value: V): void {
    this.#assertApplying('set', key);
    if (value === undefined) throw new Error(`"${this.name}" cannot hold undefined under "${key}": delete the key.`);
    this.state.freeze?.(value);
    this.stage(key, value);
  }

  delete(key: string): void {
    this.#assertApplying('delete', key);
    this.stage(key, undefined);
  }

  dump(): readonly CollectionDump[] {
    return [this.dumpRow('source', [])];
  }

  #assertApplying(method: string, key: string): void {
    if (this.state.phase === 'applying') return;
    const remedy = this.state.phase === 'idle' ? 'call it inside graph.commit' : 'transformations change nothing';
    throw new Error(`${method} "${key}" of "${this.name}" outside of a batch: ${remedy}.`);
  }
}

/** The store that a derivation fills, with the failures of its runs. */
export class DerivedStore<V> extends Store<V> implements Derived<V> {
  readonly failures: Store<Failure>;
  /** Set by the derivation. */
  isPostponed: (key: string) => boolean = () => false;

  constructor(state: GraphState, options: CollectionOptions<V>) {
    super(state, options);
    this.failures = createFailureStore(state, options.name);
  }
}

/** Creates the store of the failures of a derived collection or an index. */
export function createFailureStore(state: GraphState, name: string): Store<Failure> {
  return new Store(state, { name: `${name}.failures`, equals: sameFailure });
}

/** Reads a set of keys as a list of values in the order of the keys; sorts only after the set has changed. */
export class SortedValues<V> {
  readonly #keys: () => Iterable<string>;
  readonly #lookup: (key: string) => V | undefined;
  #order: readonly string[] | undefined;
  #values: readonly V[] | undefined;

  constructor(keys: () => Iterable<string>, lookup: (key: string) => V | undefined) {
    this.#keys = keys;
    this.#lookup = lookup;
  }

  /** Call after a key was added or removed. */
  invalidateKeys(): void {
    this.#order = undefined;
    this.#values = undefined;
  }

  /** Call after the value of a key was replaced. */
  invalidateValues(): void {
    this.#values = undefined;
  }

  /** Returns a frozen list, which all readers share until the next change. */
  read(): readonly V[] {
    if (this.#values !== undefined) return this.#values;
    this.#order ??= [...this.#keys()].sort();
    const values: V[] = [];
    for (const key of this.#order) {
      const value = this.#lookup(key);
      if (value !== undefined) values.push(value);
    }
    this.#values = Object.freeze(values);
    return this.#values;
  }
}

function isStore<V>(collection: Collection<V>): collection is Store<V> {
  return collection instanceof Store;
}

/** Returns the store of a collection; throws for a collection of another graph. */
export function storeOf<V>(state: GraphState, collection: Collection<V>): Store<V> {
  if (isStore(collection) && collection.belongsTo(state)) return collection;
  throw new Error(`"${collection.name}" is not a collection of this graph.`);
}
