import type { CollectionDump, Commit, Failure } from './model.ts';

/** A commit while it is under way: what the steps of the walk add to it. */
export interface Walk extends Commit {
  fail(failure: Failure): void;
  countRun(): void;
  /** A transformation of a checked graph that gave two results for one input. */
  impure(error: Error): void;
}

/** One stop of the walk. It finds everything that it may read settled, and leaves its own collections settled. */
export interface Step {
  /** Costs nothing when nothing was marked. */
  step(walk: Walk): void;
}

/** Whoever follows a collection key by key: told while the collection settles, acts when the walk comes by. */
export interface Dependent {
  mark(key: string): void;
}

/** Whoever has rows in the dump. */
export interface Described {
  describe(withKeys: boolean): readonly CollectionDump[];
}
