import type { Change, Collection, Epoch, Failure } from './model.ts';
import type { GraphState } from './node.ts';
import type { Walk } from './step.ts';
import { storeOf } from './collection.ts';

/** One commit, while it walks and as the result of it. */
export class CommitRecord implements Walk {
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

  fail(failure: Failure): void {
    this.failures.push(failure);
  }

  countRun(): void {
    this.#runs += 1;
  }

  impure(error: Error): void {
    this.#impurities.push(error);
  }

  /** Throws what the purity check found, when the walk is over and the state of the graph is consistent again. */
  assertPure(): void {
    const [first] = this.#impurities;
    if (first !== undefined) throw first;
  }
}
