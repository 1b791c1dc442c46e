import { sameFailure } from './failure.ts';
import type { Derived, Equals, Failure } from './model.ts';
import type { GraphState } from './node.ts';
import { Store } from './collection.ts';

/** The collection that a derivation fills, with the failures of its runs beside it. */
export class DerivedStore<V> extends Store<V> implements Derived<V> {
  readonly failures: Store<Failure>;

  constructor(state: GraphState, options: { readonly name: string; readonly equals?: Equals<V> }) {
    super(state, options);
    this.failures = new Store(state, { name: `${options.name}.failures`, equals: sameFailure });
  }
}
