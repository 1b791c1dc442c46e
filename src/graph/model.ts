/**
 * The vocabulary of incremental collections.
 *
 * A Graph holds Sources, which the caller fills, and derived Collections, which the graph keeps up to date. `commit`
 * applies one batch to the sources and then updates the derived collections once, in the order of their creation. A
 * transformation can mention only collections that exist already, so that order is a topological one: within a commit
 * every read sees the same epoch, cycles cannot form, and nothing waits.
 */

/** Counts the commits of one graph; 0 before the first. */
export type Epoch = number;

/** A keyed set of immutable values. Reads outside of a transformation see the state after the last commit. */
export interface Collection<V> {
  /** Unique within the graph; names the collection in logs, metrics and dumps. */
  readonly name: string;
  readonly size: number;
  get(key: string): V | undefined;
  /** Iterates in unspecified order. */
  entries(): IterableIterator<[key: string, value: V]>;
}

/** A collection that the caller fills. Both methods throw outside of `commit`. */
export interface Source<V> extends Collection<V> {
  /** Replaces the value under the key. A value equal to the current one changes nothing. */
  set(key: string, value: V): void;
  delete(key: string): void;
}

/** A collection that the graph computes. */
export interface Derived<V> extends Collection<V> {
  /**
   * By input key: the error that the last run threw, in which case the input has no output; or a conflict, in which
   * case the input lacks the output keys that other inputs produce too.
   */
  readonly failures: Collection<Failure>;
  /** Whether the output of an input key is of an earlier epoch: {@link Graph.resume} computes it. */
  isPostponed(key: string): boolean;
}

/** A contained bug: the error of a transformation or an index function for one input key. */
export interface Failure {
  readonly collection: string;
  readonly key: string;
  readonly error: Error;
}

/** Finds the members of a collection by values that are computed from each of them. */
export interface Index<V> {
  readonly name: string;
  readonly collection: Collection<V>;
  /** The members for which the index function threw; no index value has them. */
  readonly failures: Collection<Failure>;
}

/** The reads that a transformation may do. Each read is recorded as a dependency of the run. */
export interface Context {
  /** The value under a key. The transformation runs again when that value changes, also when an absent key appears. */
  get<V>(collection: Collection<V>, key: string): V | undefined;
  /** The members under one index value, in the order of their keys. */
  by<V>(index: Index<V>, value: string): readonly V[];
  /** All members, in the order of the keys. The transformation runs again after every change of the collection. */
  all<V>(collection: Collection<V>): readonly V[];
}

/** The change of one key in one commit. Never both undefined, never equal. */
export interface Change<V> {
  readonly key: string;
  readonly before: V | undefined;
  readonly after: V | undefined;
}

/** The result of one commit. */
export interface Commit {
  readonly epoch: Epoch;
  /** The changes of a source or a derived collection in this commit; empty when there are none. */
  changes<V>(collection: Collection<V>): readonly Change<V>[];
  /** Transformations and index functions that threw in this commit, and output keys that several inputs produce. */
  readonly failures: readonly Failure[];
  /** Runs of transformations in this commit: what an edit costs. */
  readonly runs: number;
}

/** Compares two values; a change stops where it returns true. Default: `Object.is`, then structural equality. */
export type Equals<V> = (a: V, b: V) => boolean;

/** One row of `Graph.dump()`: a collection or an index, its size and its inputs. */
export interface CollectionDump {
  readonly name: string;
  readonly kind: 'source' | 'derived' | 'index' | 'index-values' | 'failures';
  readonly size: number;
  /** The collections that it was created from. */
  readonly inputs: readonly string[];
  /** Runs since the graph was created. */
  readonly runs: number;
  /** Entries that the engine keeps beside the values: dependencies, output owners, index entries. */
  readonly bookkeeping: number;
  /** Input key → output keys and dependencies of the last run; present when `dump` was called with `keys`. */
  readonly keys?: Readonly<Record<string, { readonly outputs: readonly string[]; readonly reads: readonly string[] }>>;
}

/** How a collection is derived; {@link Graph.derive}. */
export interface DeriveOptions<O> {
  readonly name: string;
  readonly equals?: Equals<O>;
  readonly atOnce?: number;
  readonly whole?: boolean;
}

/** Holds sources, derived collections and indexes, and commits batches to them; see the head of this file. */
export interface Graph {
  source<V>(options: { readonly name: string; readonly equals?: Equals<V> }): Source<V>;
  /**
   * Derives zero or one output per input, under the key of the input. With `atOnce`, a graph that postpones computes at most
   * as many in one commit, those first whose input was changed by the batch; nothing may be derived from such a collection.
   * With `whole`, a partial commit computes nothing of it: outputs are always of a state that was complete.
   */
  derive<I, O>(
    input: Collection<I>,
    transform: (value: I, context: Context, key: string) => O | undefined,
    options: DeriveOptions<O>,
  ): Derived<O>;
  /**
   * Derives any number of outputs per input. An output key belongs to one input: a key that two inputs produce is a bug
   * of the transformation. It has no output, and is a failure of every input that produces it.
   */
  deriveMany<I, O>(
    input: Collection<I>,
    transform: (value: I, context: Context, key: string) => Iterable<readonly [key: string, value: O]>,
    options: { readonly name: string; readonly equals?: Equals<O> },
  ): Derived<O>;
  /** Indexes a collection by the values that `indexFunction` returns for each member. */
  index<V>(
    collection: Collection<V>,
    indexFunction: (value: V, key: string) => Iterable<string>,
    options: { readonly name: string },
  ): Index<V>;
  /** The values of an index that have members, as keys and values. Changes only when a value gets or loses members. */
  indexValues<V>(index: Index<V>, options: { readonly name: string }): Collection<string>;
  /** The members under one index value after the last commit, in the order of their keys; for reads between commits. */
  members<V>(index: Index<V>, value: string): readonly V[];
  /**
   * Calls `reached` in each commit, when everything that was created before is up to date and nothing that is created
   * afterwards is. It may not read the graph, and must not throw.
   */
  checkpoint(reached: () => void): void;
  /**
   * Applies one batch. Throws when called within a commit.
   *
   * @param options `partial`: what is applied belongs together with the next batch
   */
  commit(apply: () => void, options?: { readonly partial?: boolean }): Commit;
  /** From now on commits may leave outputs as they were, for {@link resume}. Before, each commit computes everything. */
  postpone(): void;
  /** Whether something is left. */
  readonly isUnfinished: boolean;
  /** Goes on with what commits have left, a part of it: a commit that changes no source. */
  resume(): Commit;
  readonly epoch: Epoch;
  dump(options?: { readonly keys?: boolean }): readonly CollectionDump[];
}
