import { structurallyEqual } from './equality.ts';
import { sameFailure } from './failure.ts';
import type { Collection, CollectionDump, Failure, Index } from './model.ts';
import { attempt, describeDifference, type Outcome } from './outcome.ts';
import { Cells } from './reads.ts';
import { SortedMembers } from './sorted-members.ts';
import type { GraphState } from './state.ts';
import type { Dependent, Described, Step, Walk } from './step.ts';
import { Store } from './store.ts';

/** The members of one group. A large group takes one more without being touched as a whole. */
interface Group<V> {
  readonly keys: Set<string>;
  readonly sorted: SortedMembers<V>;
}

/** The groups of a collection's members, moved member by member when the walk comes by. */
export class MemberIndex<V> implements Index<V>, Step, Dependent, Described {
  readonly name: string;
  readonly collection: Collection<V>;
  readonly position: number;
  readonly failures: Store<Failure>;
  /** Who read which group. */
  readonly cells: Cells;
  readonly #state: GraphState;
  readonly #store: Store<V>;
  readonly #values: (value: V, key: string) => Iterable<string>;
  readonly #groups = new Map<string, Group<V>>();
  /** Where each member is now; its old value may be gone by the time it has to move. */
  readonly #valuesOf = new Map<string, readonly string[]>();
  readonly #followers: Dependent[] = [];
  #dirty = new Set<string>();
  #runs = 0;

  constructor(
    state: GraphState,
    store: Store<V>,
    values: (value: V, key: string) => Iterable<string>,
    options: { readonly name: string },
  ) {
    this.name = options.name;
    this.collection = store;
    this.position = state.enroll(options.name);
    this.failures = new Store(state, { name: `${options.name}.failures`, equals: sameFailure });
    this.cells = new Cells(`by ${options.name}`);
    this.#state = state;
    this.#store = store;
    this.#values = values;
    store.follow(this);
  }

  belongsTo(state: GraphState): boolean {
    return this.#state === state;
  }

  mark(key: string): void {
    this.#dirty.add(key);
  }

  /** From now on tells every index value whose group changed; those that exist already count as changed. */
  follow(follower: Dependent): void {
    this.#followers.push(follower);
    for (const value of this.#groups.keys()) follower.mark(value);
  }

  has(value: string): boolean {
    return this.#groups.has(value);
  }

  group(value: string): readonly V[] {
    return this.#groups.get(value)?.sorted.read() ?? nobody;
  }

  step(walk: Walk): void {
    if (this.#dirty.size === 0) return;
    const dirty = this.#dirty;
    this.#dirty = new Set();
    const touched = new Set<string>();
    for (const key of dirty) this.#move(key, this.#compute(key, walk), touched);
    this.failures.settle(walk);
    for (const value of touched) {
      for (const follower of this.#followers) follower.mark(value);
      this.cells.wake(value);
    }
  }

  describe(): readonly CollectionDump[] {
    const inputs = [this.collection.name];
    const bookkeeping = this.cells.countReaders() + this.#valuesOf.size + this.#dirty.size;
    const row = {
      name: this.name,
      kind: 'index' as const,
      size: this.#groups.size,
      inputs,
      runs: this.#runs,
      bookkeeping,
    };
    return [row, this.failures.row('failures', [this.name])];
  }

  /** The groups of a member: none when it is gone, or when the function threw for it. */
  #compute(key: string, walk: Walk): readonly string[] {
    const value = this.#store.held(key);
    this.failures.stage(key, undefined);
    if (value === undefined) return [];
    const outcome = this.#run(value, key, walk);
    if (outcome.kind === 'returned') return outcome.result;
    const failure: Failure = { collection: this.name, key, error: outcome.error };
    this.failures.stage(key, failure);
    walk.fail(failure);
    return [];
  }

  #run(value: V, key: string, walk: Walk): Outcome<readonly string[]> {
    const run = (): Outcome<readonly string[]> => attempt(() => distinct(this.#values(value, key)));
    const outcome = run();
    this.#runs += 1;
    if (this.#state.freeze === undefined) return outcome;
    const difference = describeDifference(outcome, run(), structurallyEqual);
    if (difference !== undefined) walk.impure(new Error(`"${this.name}" is impure for key "${key}": ${difference}.`));
    return outcome;
  }

  #move(key: string, after: readonly string[], touched: Set<string>): void {
    const before = this.#valuesOf.get(key) ?? [];
    const staying = new Set(after);
    for (const value of before) {
      touched.add(value);
      if (!staying.has(value)) this.#leave(key, value);
    }
    for (const value of after) {
      touched.add(value);
      this.#enter(key, value);
    }
    if (after.length === 0) this.#valuesOf.delete(key);
    else this.#valuesOf.set(key, after);
  }

  #enter(key: string, value: string): void {
    const group = this.#groups.get(value) ?? this.#createGroup(value);
    if (group.keys.has(key)) group.sorted.changed();
    else group.sorted.moved();
    group.keys.add(key);
  }

  #leave(key: string, value: string): void {
    const group = this.#groups.get(value);
    group?.keys.delete(key);
    group?.sorted.moved();
    if (group?.keys.size === 0) this.#groups.delete(value);
  }

  #createGroup(value: string): Group<V> {
    const keys = new Set<string>();
    const group = {
      keys,
      sorted: new SortedMembers(
        () => keys,
        (key) => this.#store.held(key),
      ),
    };
    this.#groups.set(value, group);
    return group;
  }
}

const nobody: readonly never[] = Object.freeze([]);

/** A string is iterable too, letter by letter, which nobody ever means here. */
function distinct(values: Iterable<string>): readonly string[] {
  if (typeof values === 'string') throw new TypeError(`An index function returned the string "${values}", not a list.`);
  return [...new Set(values)];
}

function isMemberIndex<V>(index: Index<V>): index is MemberIndex<V> {
  return index instanceof MemberIndex;
}

/** The inside of an index; throws for one that is not of this graph. */
export function indexOf<V>(state: GraphState, index: Index<V>): MemberIndex<V> {
  if (isMemberIndex(index) && index.belongsTo(state)) return index;
  throw new Error(`"${index.name}" is not an index of this graph.`);
}
