import type { CollectionDump, Commit, Epoch, Failure } from './model.ts';

/**
 * The phase of a graph. Between commits (`idle`) everything can be read and created. While a batch is applied
 * (`applying`), sources take values and reads still see the previous epoch. While the nodes update (`updating`), only a
 * context may read, because any other read would not be recorded.
 */
export type Phase = 'idle' | 'applying' | 'updating';

/** The state that the nodes of one graph share. Also the graph's identity: a collection belongs to one state. */
export class GraphState {
  phase: Phase = 'idle';
  epoch: Epoch = 0;
  /** Nodes may leave some of their work to a later {@link isResuming} commit. */
  postpones = false;
  /** A commit that changes no source: nodes go on with what they have left. */
  isResuming = false;
  /** A commit of a part of what belongs together. */
  isPartial = false;
  /** Makes a value immutable; undefined unless the graph is checked. */
  readonly freeze: ((value: unknown) => void) | undefined;
  readonly #names = new Set<string>();

  constructor(freeze: ((value: unknown) => void) | undefined) {
    this.freeze = freeze;
  }

  /** Registers a name and returns its position in the order of creation, from 1. Throws for a name that is taken. */
  register(name: string): number {
    if (this.phase !== 'idle') throw new Error(`"${name}" cannot be created within a commit: create it before.`);
    if (this.#names.has(name)) throw new Error(`The graph has a "${name}" already: names are unique in a graph.`);
    this.#names.add(name);
    return this.#names.size;
  }

  /** Throws for a read without a context while nodes update. */
  assertReadable(name: string): void {
    if (this.phase !== 'updating') return;
    throw new Error(`"${name}" was read past the context: such a read is not recorded, use context.get, by or all.`);
  }
}

/** A commit whose nodes are being updated: collects their results. */
export interface OpenCommit extends Commit {
  addFailure(failure: Failure): void;
  countRun(): void;
  /** Adds the finding of a checked graph that a function gave two results for one input. */
  addImpurity(error: Error): void;
}

/** A derived collection or an index. */
export interface Node {
  /**
   * Brings the node up to date. Every earlier node is up to date by then. Costs nothing when no key was invalidated.
   */
  update(commit: OpenCommit): void;
}

/** A node that recomputes single keys. `invalidate` only marks the key; `update` does the work. */
export interface Dependent {
  invalidate(key: string): void;
}

/** A part of the graph that has rows in the dump. */
export interface Dumpable {
  dump(withKeys: boolean): readonly CollectionDump[];
}
