import { storeOf } from './collection.ts';
import type { Dependency } from './dependencies.ts';
import { indexerOf } from './indexer.ts';
import type { Collection, Context, Index } from './model.ts';
import type { GraphState } from './node.ts';

/** A collection or an index, with its position in the order of creation. */
interface Positioned {
  readonly name: string;
  readonly position: number;
}

/** The context of one run: answers reads and records each as a dependency, until it is closed. */
export class RecordingContext implements Context {
  readonly dependencies: Set<Dependency> = new Set();
  readonly #state: GraphState;
  readonly #reader: Positioned;
  #open = true;

  constructor(state: GraphState, reader: Positioned) {
    this.#state = state;
    this.#reader = reader;
  }

  get<V>(collection: Collection<V>, key: string): V | undefined {
    const store = storeOf(this.#state, collection);
    this.#assertMayRead(store);
    this.dependencies.add(store.dependencies.on(key));
    return store.lookup(key);
  }

  by<V>(index: Index<V>, value: string): readonly V[] {
    const indexer = indexerOf(this.#state, index);
    this.#assertMayRead(indexer);
    this.dependencies.add(indexer.dependencies.on(value));
    return indexer.membersOf(value);
  }

  all<V>(collection: Collection<V>): readonly V[] {
    const store = storeOf(this.#state, collection);
    this.#assertMayRead(store);
    this.dependencies.add(store.whole);
    return store.sortedValues();
  }

  /** Makes later reads throw: they would not be recorded. */
  close(): void {
    this.#open = false;
  }

  /** Throws for a collection that was created later, which is not up to date yet while the reader runs. */
  #assertMayRead(read: Positioned): void {
    const { name, position } = this.#reader;
    if (!this.#open) throw new Error(`"${name}" read "${read.name}" after its run had ended.`);
    if (read.position < position) return;
    throw new Error(`"${name}" cannot read "${read.name}": it can read only what was created before it.`);
  }
}
