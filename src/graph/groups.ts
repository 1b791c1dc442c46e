import type { MemberIndex } from './indexer.ts';
import type { CollectionDump } from './model.ts';
import type { GraphState } from './node.ts';
import type { Dependent, Described, Step, Walk } from './step.ts';
import { Store } from './collection.ts';

/** The index values that have members, as a collection: a group that only changes inside is no change here. */
export class GroupsStore<V> extends Store<string> implements Step, Dependent, Described {
  readonly #index: MemberIndex<V>;
  #dirty = new Set<string>();

  constructor(state: GraphState, index: MemberIndex<V>, options: { readonly name: string }) {
    super(state, options);
    this.#index = index;
    index.follow(this);
  }

  mark(value: string): void {
    this.#dirty.add(value);
  }

  step(walk: Walk): void {
    for (const value of this.#dirty) this.stage(value, this.#index.has(value) ? value : undefined);
    if (this.#dirty.size > 0) this.#dirty = new Set();
    this.settle(walk);
  }

  describe(): readonly CollectionDump[] {
    const row = this.row('groups', [this.#index.name]);
    return [{ ...row, bookkeeping: row.bookkeeping + this.#dirty.size }];
  }
}
