import { createFailureStore, Store } from './collection.ts';
import { Dependencies } from './dependencies.ts';
import { structurallyEqual } from './equality.ts';
import { IndexEntries } from './index-entries.ts';
import type { Collection, CollectionDump, Failure, Index } from './model.ts';
import type { Dependent, Dumpable, GraphState, Node, OpenCommit } from './node.ts';
import { attempt, type Outcome } from './outcome.ts';
import { describeImpurity } from './purity.ts';

/** An index of a collection. Its update moves single members from entry to entry. */
export class Indexer<V> implements Index<V>, Node, Dependent, Dumpable {
  readonly name: string;
  readonly collection: Collection<V>;
  /** The position in the order of creation. */
  readonly position: number;
  readonly failures: Store<Failure>;
  /** The readers of single index values. */
  readonly dependencies: Dependencies;
  readonly #state: GraphState;
  readonly #store: Store<V>;
  readonly #indexFunction: (value: V, key: string) => Iterable<string>;
  readonly #entries: IndexEntries<V>;
  readonly #dependents: Dependent[] = [];
  #dirty = new Set<string>();
  #runs = 0;

  constructor(
    state: GraphState,
    store: Store<V>,
    indexFunction: (value: V, key: string) => Iterable<string>,
    options: { readonly name: string },
  ) {
    this.name = options.name;
    this.collection = store;
    this.position = state.register(options.name);
    this.failures = createFailureStore(state, options.name);
    this.dependencies = new Dependencies(`by ${options.name}`);
    this.#state = state;
    this.#store = store;
    this.#indexFunction = indexFunction;
    this.#entries = new IndexEntries((key) => store.lookup(key));
    store.addDependent(this);
  }

  belongsTo(state: GraphState): boolean {
    return this.#state === state;
  }

  invalidate(key: string): void {
    this.#dirty.add(key);
  }

  /** Invalidates every changed index value at the dependent from now on, and at once the values that exist already. */
  addDependent(dependent: Dependent): void {
    this.#dependents.push(dependent);
    for (const value of this.#entries.byValue.keys()) dependent.invalidate(value);
  }

  hasMembers(value: string): boolean {
    return this.#entries.byValue.has(value);
  }

  membersOf(value: string): readonly V[] {
    return this.#entries.membersOf(value);
  }

  update(commit: OpenCommit): void {
    if (this.#dirty.size === 0) return;
    const dirty = this.#dirty;
    this.#dirty = new Set();
    const changed = new Set<string>();
    for (const key of dirty) this.#entries.update(key, this.#valuesOf(key, commit), changed);
    this.failures.applyStaged(commit);
    for (const value of changed) {
      for (const dependent of this.#dependents) dependent.invalidate(value);
      this.dependencies.invalidate(value);
    }
  }

  dump(): readonly CollectionDump[] {
    const inputs = [this.collection.name];
    const bookkeeping = this.dependencies.countReaders() + this.#entries.count() + this.#dirty.size;
    const row = {
      name: this.name,
      kind: 'index' as const,
      size: this.#entries.byValue.size,
      inputs,
      runs: this.#runs,
      bookkeeping,
    };
    return [row, this.failures.dumpRow('failures', [this.name])];
  }

  /** The index values of a member: none when the member is gone, or when the index function threw for it. */
  #valuesOf(key: string, commit: OpenCommit): readonly string[] {
    const value = this.#store.lookup(key);
    this.failures.stage(key, undefined);
    if (value === undefined) return [];
    const outcome = this.#run(value, key, commit);
    if (outcome.kind === 'returned') return outcome.result;
    const failure: Failure = { collection: this.name, key, error: outcome.error };
    this.failures.stage(key, failure);
    commit.addFailure(failure);
    return [];
  }

  #run(value: V, key: string, commit: OpenCommit): Outcome<readonly string[]> {
    const run = (): Outcome<readonly string[]> => attempt(() => distinct(this.#indexFunction(value, key)));
    const outcome = run();
    this.#runs += 1;
    if (this.#state.freeze === undefined) return outcome;
    const impurity = describeImpurity(outcome, run(), structurallyEqual);
    if (impurity !== undefined)
      commit.addImpurity(new Error(`"${this.name}" is impure for key "${key}": ${impurity}.`));
    return outcome;
  }
}

/** The values of an index that have members, as a collection. A change within an entry is no change here. */
export class IndexValuesStore<V> extends Store<string> implements Node, Dependent, Dumpable {
  readonly #indexer: Indexer<V>;
  #dirty = new Set<string>();

  constructor(state: GraphState, indexer: Indexer<V>, options: { readonly name: string }) {
    super(state, options);
    this.#indexer = indexer;
    indexer.addDependent(this);
  }

  invalidate(value: string): void {
    this.#dirty.add(value);
  }

  update(commit: OpenCommit): void {
    for (const value of this.#dirty) this.stage(value, this.#indexer.hasMembers(value) ? value : undefined);
    if (this.#dirty.size > 0) this.#dirty = new Set();
    this.applyStaged(commit);
  }

  dump(): readonly CollectionDump[] {
    const row = this.dumpRow('index-values', [this.#indexer.name]);
    return [{ ...row, bookkeeping: row.bookkeeping + this.#dirty.size }];
  }
}

/** Removes duplicates. Throws for a string, whose letters would become the index values. */
function distinct(values: Iterable<string>): readonly string[] {
  if (typeof values === 'string') throw new TypeError(`An index function returned the string "${values}", not a list.`);
  return [...new Set(values)];
}

function isIndexer<V>(index: Index<V>): index is Indexer<V> {
  return index instanceof Indexer;
}

/** Returns the indexer of an index; throws for an index of another graph. */
export function indexerOf<V>(state: GraphState, index: Index<V>): Indexer<V> {
  if (isIndexer(index) && index.belongsTo(state)) return index;
  throw new Error(`"${index.name}" is not an index of this graph.`);
}
