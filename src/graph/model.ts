/**
 * The vocabulary of incremental collections.
 *
 * A Graph holds Sources, which others fill, and derived Collections, which it keeps up to date. `commit` applies one
 * batch to the sources and then walks the derived collections once, in the order of their creation. A transformation
 * can mention only what exists already, so that order is a topological one: within a commit every read sees the same
 * epoch, there are no cycles, and nothing waits.
 */

/** Counts the commits of one graph: 0 before the first. */
export type Epoch = number;

/** A keyed set of immutable values. Reads outside of a transformation see the state after the last commit. */
export interface Collection<V> {
  /** Unique within the graph; the name in logs, metrics and dumps. */
  readonly name: string;
  readonly size: number;
  get(key: string): V | undefined;
  /** In no particular order. */
  entries(): IterableIterator<[key: string, value: V]>;
}

/** A collection that is filled from outside. Both methods throw outside of `commit`. */
export interface Source<V> extends Collection<V> {
  /** A value equal to the one held changes nothing. */
  set(key: string, value: V): void;
  delete(key: string): void;
}

/** A collection that the graph computes. */
export interface Derived<V> extends Collection<V> {
  /**
   * By input key: what the last run threw, and then there is no output of it; or that other inputs claim output keys of
   * it, and then it lacks those.
   */
  readonly failures: Collection<Failure>;
}

/** A bug of ours, contained: what a transformation or an index function threw for one input key. */
export interface Failure {
  readonly collection: string;
  readonly key: string;
  readonly error: Error;
}

/** The members of a collection, found by a value that is computed from each. */
export interface Index<V> {
  readonly name: string;
  readonly collection: Collection<V>;
  /** The members for which the function threw; they are in no group. */
  readonly failures: Collection<Failure>;
}

/** What a transformation may read. Everything read is recorded and replaces the record of the previous run. */
export interface Context {
  get<V>(collection: Collection<V>, key: string): V | undefined;
  /** The members under one index value, in the order of their keys. */
  by<V>(index: Index<V>, value: string): readonly V[];
  /** Every member, in the order of the keys. The transformation runs again whenever anything in there changes. */
  all<V>(collection: Collection<V>): readonly V[];
}

/** What one commit changed in one key. Never both undefined, never equal. */
export interface Change<V> {
  readonly key: string;
  readonly before: V | undefined;
  readonly after: V | undefined;
}

/** The result of one commit. */
export interface Commit {
  readonly epoch: Epoch;
  /** What this commit changed in a source or a derived collection; empty when nothing did. */
  changes<V>(collection: Collection<V>): readonly Change<V>[];
  /** Transformations and index functions that threw in this commit, and keys claimed by several inputs. */
  readonly failures: readonly Failure[];
  /** How often transformations ran in this commit, for counting what an edit costs. */
  readonly runs: number;
}

/** Same value? Decides where a change stops. Default: `Object.is`, then structural equality of plain data. */
export type Equals<V> = (a: V, b: V) => boolean;

/** One row of `Graph.dump()`: what exists, how large it is, and what hangs together. */
export interface CollectionDump {
  readonly name: string;
  readonly kind: 'source' | 'derived' | 'index' | 'groups' | 'failures';
  readonly size: number;
  /** The collections that it was created from. */
  readonly inputs: readonly string[];
  /** Runs since the start. */
  readonly runs: number;
  /** Entries that the engine keeps beside the values: who reads what, who claims what, who is in which group. */
  readonly bookkeeping: number;
  /** Input key → output keys and what the last run read; only when asked for. */
  readonly keys?: Readonly<Record<string, { readonly outputs: readonly string[]; readonly reads: readonly string[] }>>;
}

export interface Graph {
  source<V>(options: { readonly name: string; readonly equals?: Equals<V> }): Source<V>;
  /** One input, zero or one output under the same key. */
  derive<I, O>(
    input: Collection<I>,
    transform: (value: I, context: Context, key: string) => O | undefined,
    options: { readonly name: string; readonly equals?: Equals<O> },
  ): Derived<O>;
  /**
   * One input, any number of outputs. Output keys belong to one input each: a key that two inputs claim is a bug of
   * the transformation, has no output, and is a failure of every input that claims it.
   */
  deriveMany<I, O>(
    input: Collection<I>,
    transform: (value: I, context: Context, key: string) => Iterable<readonly [key: string, value: O]>,
    options: { readonly name: string; readonly equals?: Equals<O> },
  ): Derived<O>;
  index<V>(
    collection: Collection<V>,
    values: (value: V, key: string) => Iterable<string>,
    options: { readonly name: string },
  ): Index<V>;
  /** The index values that have members: changes only when a group appears or vanishes. Key and value are the same. */
  groups<V>(index: Index<V>, options: { readonly name: string }): Collection<string>;
  /** Applies one batch. Throws when called from within a commit. */
  commit(apply: () => void): Commit;
  readonly epoch: Epoch;
  dump(options?: { readonly keys?: boolean }): readonly CollectionDump[];
}
