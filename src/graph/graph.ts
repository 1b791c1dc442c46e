import { ClaimedOutputs, collect } from './outputs.ts';
import { CommitRecord } from './commit.ts';
import { Derivation } from './derivation.ts';
import { DerivedStore } from './derived.ts';
import { createFreezer } from './purity.ts';
import { GroupsStore } from './groups.ts';
import { indexOf, MemberIndex } from './indexer.ts';
import type {
  Collection,
  CollectionDump,
  Commit,
  Context,
  Derived,
  Epoch,
  Equals,
  Failure,
  Graph,
  Index,
  Source,
} from './model.ts';
import { createSingleOutput } from './single-output.ts';
import { SourceStore } from './source.ts';
import { GraphState } from './node.ts';
import type { Described, Step } from './step.ts';
import { storeOf } from './collection.ts';

export interface GraphOptions {
  /**
   * For tests: makes every source value and every output immutable, runs every transformation and index function twice
   * and compares. `commit` throws for the first that differs, naming collection and key. Default: false.
   */
  readonly check?: boolean;
  /** Told every failure of a commit, once the commit is complete. What it throws comes out of `commit`. */
  readonly onFailure?: (failure: Failure) => void;
}

/**
 * Creates an empty graph of incremental collections; `model.ts` says what each of them promises.
 *
 * `commit` is atomic: what `apply` throws comes out of it, nothing of the batch is applied, and the epoch stays. While
 * `apply` runs, reads still see the previous epoch. A collection that is created over others with content is filled by
 * the next commit, as if that content had just arrived. A transformation reads through its context alone; anything
 * else that it does to the graph, a direct read included, throws and makes it fail.
 */
export function createGraph(options: GraphOptions = {}): Graph {
  return new IncrementalGraph(options);
}

/** A source, as far as a batch is concerned. */
type Batched = Pick<SourceStore<unknown>, 'settle' | 'discard'>;

class IncrementalGraph implements Graph {
  readonly #state: GraphState;
  readonly #onFailure: (failure: Failure) => void;
  readonly #sources: Batched[] = [];
  readonly #steps: Step[] = [];
  readonly #parts: Described[] = [];

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
    this.#parts.push(source);
    return source;
  }

  derive<I, O>(
    input: Collection<I>,
    transform: (value: I, context: Context, key: string) => O | undefined,
    options: { readonly name: string; readonly equals?: Equals<O> },
  ): Derived<O> {
    const store = storeOf(this.#state, input);
    const output = new DerivedStore<O>(this.#state, options);
    this.#add(new Derivation(this.#state, store, transform, output, createSingleOutput(output)));
    return output;
  }

  deriveMany<I, O>(
    input: Collection<I>,
    transform: (value: I, context: Context, key: string) => Iterable<readonly [key: string, value: O]>,
    options: { readonly name: string; readonly equals?: Equals<O> },
  ): Derived<O> {
    const store = storeOf(this.#state, input);
    const output = new DerivedStore<O>(this.#state, options);
    const outputs = new ClaimedOutputs(output, output.failures);
    const run = (value: I, context: Context, key: string): ReadonlyMap<string, O> =>
      collect(transform(value, context, key));
    this.#add(new Derivation(this.#state, store, run, output, outputs));
    return output;
  }

  index<V>(
    collection: Collection<V>,
    values: (value: V, key: string) => Iterable<string>,
    options: { readonly name: string },
  ): Index<V> {
    const index = new MemberIndex(this.#state, storeOf(this.#state, collection), values, options);
    this.#add(index);
    return index;
  }

  groups<V>(index: Index<V>, options: { readonly name: string }): Collection<string> {
    const groups = new GroupsStore(this.#state, indexOf(this.#state, index), options);
    this.#add(groups);
    return groups;
  }

  commit(apply: () => void): Commit {
    const commit = this.#apply(apply);
    for (const failure of commit.failures) this.#onFailure(failure);
    commit.assertPure();
    return commit;
  }

  dump(options: { readonly keys?: boolean } = {}): readonly CollectionDump[] {
    this.#state.assertReadable('dump');
    return this.#parts.flatMap((part) => part.describe(options.keys ?? false));
  }

  #add(part: Step & Described): void {
    this.#steps.push(part);
    this.#parts.push(part);
  }

  #apply(apply: () => void): CommitRecord {
    const state = this.#state;
    if (state.phase !== 'idle') throw new Error('commit was called within a commit: one batch is one commit.');
    state.phase = 'applying';
    try {
      apply();
      state.phase = 'walking';
      state.epoch += 1;
      return this.#walk();
    } finally {
      for (const source of this.#sources) source.discard();
      state.phase = 'idle';
    }
  }

  /** The one order there is: the batch first, then everything derived, each after all that it can read. */
  #walk(): CommitRecord {
    const commit = new CommitRecord(this.#state);
    for (const source of this.#sources) source.settle(commit);
    for (const step of this.#steps) step.step(commit);
    return commit;
  }
}
