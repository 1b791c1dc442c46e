import { type SourceStore, storeOf } from './collection.ts';
import type { Change, Collection, Epoch, Failure } from './model.ts';
import type { GraphState, Node, OpenCommit } from './node.ts';

/** A source, as far as a batch is concerned. */
export type BatchTarget = Pick<SourceStore<unknown>, 'applyStaged' | 'discardStaged'>;

/** The parts of a graph that a commit updates. */
export interface CommitTargets {
  readonly sources: readonly BatchTarget[];
  /** In the order of creation, so that each node finds everything that it may read up to date. */
  readonly nodes: readonly Node[];
}

/** Applies one batch to the sources and then updates every node once. An error of `apply` discards the batch. */
export function runCommit(
  state: GraphState,
  { sources, nodes, partial }: CommitTargets & { readonly partial: boolean },
  apply: () => void,
): CommitRecord {
  if (state.phase !== 'idle') throw new Error('commit was called within a commit: one batch is one commit.');
  state.phase = 'applying';
  try {
    apply();
    state.phase = 'updating';
    state.isPartial = partial;
    state.epoch += 1;
    const commit = new CommitRecord(state);
    for (const source of sources) source.applyStaged(commit);
    for (const node of nodes) node.update(commit);
    return commit;
  } finally {
    for (const source of sources) source.discardStaged();
    state.phase = 'idle';
  }
}

/** A commit, while its nodes update and afterwards as its result. */
export class CommitRecord implements OpenCommit {
  readonly epoch: Epoch;
  readonly failures: Failure[] = [];
  readonly #state: GraphState;
  readonly #impurities: Error[] = [];
  #runs = 0;

  constructor(state: GraphState) {
    this.#state = state;
    this.epoch = state.epoch;
  }

  get runs(): number {
    return this.#runs;
  }

  changes<V>(collection: Collection<V>): readonly Change<V>[] {
    return storeOf(this.#state, collection).changesIn(this);
  }

  addFailure(failure: Failure): void {
    this.failures.push(failure);
  }

  countRun(): void {
    this.#runs += 1;
  }

  addImpurity(error: Error): void {
    this.#impurities.push(error);
  }

  /** Throws the first finding of the purity check. Call it after the commit, when the graph is consistent again. */
  assertPure(): void {
    const [first] = this.#impurities;
    if (first !== undefined) throw first;
  }
}
