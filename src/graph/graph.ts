import { DerivedStore, SourceStore, storeOf } from './collection.ts';
import { type BatchTarget, runCommit } from './commit.ts';
import { Derivation } from './derivation.ts';
import { Indexer, IndexValuesStore, indexerOf } from './indexer.ts';
import type {
  Collection,
  CollectionDump,
  Commit,
  Context,
  Derived,
  DeriveOptions,
  Epoch,
  Equals,
  Failure,
  Graph,
  Index,
  Source,
} from './model.ts';
import { type Dumpable, GraphState, type Node } from './node.ts';
import { collectOutputs, createSingleOutput, ManyOutputs } from './outputs.ts';
import { createFreezer } from './purity.ts';

/** Options of a graph. */
export interface GraphOptions {
  /**
   * For tests: makes every source value and every output immutable, runs every transformation and index function twice
   * and compares the results. `commit` throws for the first difference and names collection and key. Default: false.
   */
  readonly check?: boolean;
  /**
   * Called for every failure of a commit, after the commit is complete. An error that it throws is thrown by `commit`.
   */
  readonly onFailure?: (failure: Failure) => void;
}

/**
 * Creates an empty graph of incremental collections; `model.ts` specifies their behaviour.
 *
 * `commit` is atomic: when `apply` throws, `commit` throws the same error, applies nothing and keeps the epoch. While
 * `apply` runs, reads still see the previous epoch. The next commit fills a collection that was created over others
 * with content. A transformation reads through its context alone; any other access to the graph, a direct read
 * included, throws and makes the run fail.
 */
export function createGraph(options: GraphOptions = {}): Graph {
  return new IncrementalGraph(options);
}

class IncrementalGraph implements Graph {
  readonly #state: GraphState;
  readonly #onFailure: (failure: Failure) => void;
  readonly #sources: BatchTarget[] = [];
  readonly #nodes: Node[] = [];
  readonly #dumpables: Dumpable[] = [];
  readonly #postponing: { readonly isUnfinished: boolean }[] = [];

  constructor({ check = false, onFailure = () => undefined }: GraphOptions) {
    this.#state = new GraphState(check ? createFreezer() : undefined);
    this.#onFailure = onFailure;
  }

  get epoch(): Epoch {
    return this.#state.epoch;
  }

  source<V>(options: { readonly name: string; readonly equals?: Equals<V> }): Source<V> {
    const source = new SourceStore<V>(this.#state, options);
    this.#sources.push(source);
    this.#dumpables.push(source);
    return source;
  }

  derive<I, O>(
    input: Collection<I>,
    transform: (value: I, context: Context, key: string) => O | undefined,
    options: DeriveOptions<O>,
  ): Derived<O> {
    const store = storeOf(this.#state, input);
    const output = new DerivedStore<O>(this.#state, options);
    const outputs = createSingleOutput(output);
    const derivation = new Derivation(this.#state, store, transform, output, outputs, options);
    this.#add(derivation);
    if (options.atOnce !== undefined) this.#postponing.push(derivation);
    return output;
  }

  deriveMany<I, O>(
    input: Collection<I>,
    transform: (value: I, context: Context, key: string) => Iterable<readonly [key: string, value: O]>,
    options: { readonly name: string; readonly equals?: Equals<O> },
  ): Derived<O> {
    const store = storeOf(this.#state, input);
    const output = new DerivedStore<O>(this.#state, options);
    const outputs = new ManyOutputs(output, output.failures);
    const run = (value: I, context: Context, key: string): ReadonlyMap<string, O> =>
      collectOutputs(transform(value, context, key));
    this.#add(new Derivation(this.#state, store, run, output, outputs));
    return output;
  }

  index<V>(
    collection: Collection<V>,
    indexFunction: (value: V, key: string) => Iterable<string>,
    options: { readonly name: string },
  ): Index<V> {
    const index = new Indexer(this.#state, storeOf(this.#state, collection), indexFunction, options);
    this.#add(index);
    return index;
  }

  indexValues<V>(index: Index<V>, options: { readonly name: string }): Collection<string> {
    const values = new IndexValuesStore(this.#state, indexerOf(this.#state, index), options);
    this.#add(values);
    return values;
  }

  members<V>(index: Index<V>, value: string): readonly V[] {
    this.#state.assertReadable(index.name);
    return indexerOf(this.#state, index).membersOf(value);
  }

  checkpoint(reached: () => void): void {
    this.#nodes.push({ update: () => reached() });
  }

  commit(apply: () => void, { partial = false }: { readonly partial?: boolean } = {}): Commit {
    const commit = runCommit(this.#state, { sources: this.#sources, nodes: this.#nodes, partial }, apply);
    for (const failure of commit.failures) this.#onFailure(failure);
    commit.assertPure();
    return commit;
  }

  postpone(): void {
    this.#state.postpones = true;
  }

  get isUnfinished(): boolean {
    return this.#postponing.some(({ isUnfinished }) => isUnfinished);
  }

  resume(): Commit {
    this.#state.isResuming = true;
    try {
      return this.commit(() => undefined);
    } finally {
      this.#state.isResuming = false;
    }
  }

  dump(options: { readonly keys?: boolean } = {}): readonly CollectionDump[] {
    this.#state.assertReadable('dump');
    return this.#dumpables.flatMap((part) => part.dump(options.keys ?? false));
  }

  #add(node: Node & Dumpable): void {
    this.#nodes.push(node);
    this.#dumpables.push(node);
  }
}
