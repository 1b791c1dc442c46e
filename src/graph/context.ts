import { indexOf } from './indexer.ts';
import type { Collection, Context, Index } from './model.ts';
import type { Cell } from './dependencies.ts';
import type { GraphState } from './node.ts';
import { storeOf } from './collection.ts';

/** A place in the order of creation. */
interface Place {
  readonly name: string;
  readonly position: number;
}

/** The context of one run: answers reads and writes each down, until it is closed. */
export class RecordingContext implements Context {
  readonly reads: Set<Cell> = new Set();
  readonly #state: GraphState;
  readonly #reader: Place;
  #open = true;

  constructor(state: GraphState, reader: Place) {
    this.#state = state;
    this.#reader = reader;
  }

  get<V>(collection: Collection<V>, key: string): V | undefined {
    const store = storeOf(this.#state, collection);
    this.#assertMayRead(store);
    this.reads.add(store.cells.at(key));
    return store.held(key);
  }

  by<V>(index: Index<V>, value: string): readonly V[] {
    const members = indexOf(this.#state, index);
    this.#assertMayRead(members);
    this.reads.add(members.cells.at(value));
    return members.group(value);
  }

  all<V>(collection: Collection<V>): readonly V[] {
    const store = storeOf(this.#state, collection);
    this.#assertMayRead(store);
    this.reads.add(store.whole);
    return store.sorted();
  }

  /** A context that outlives its run would read without anybody knowing. */
  close(): void {
    this.#open = false;
  }

  /** What was created later is not settled yet when the walk is here. */
  #assertMayRead(read: Place): void {
    const { name, position } = this.#reader;
    if (!this.#open) throw new Error(`"${name}" read "${read.name}" after its run had ended.`);
    if (read.position < position) return;
    throw new Error(`"${name}" cannot read "${read.name}": it can read only what was created before it.`);
  }
}
