import { structurallyEqual } from './equality.ts';
import { sameFailure } from './failure.ts';
import { Memberships } from './index-entries.ts';
import type { Collection, CollectionDump, Failure, Index } from './model.ts';
import { attempt, describeDifference, type Outcome } from './outcome.ts';
import { Cells } from './dependencies.ts';
import type { GraphState } from './node.ts';
import type { Dependent, Described, Step, Walk } from './step.ts';
import { Store } from './collection.ts';

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
  readonly #memberships: Memberships<V>;
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
    this.#memberships = new Memberships((key) => store.held(key));
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
    for (const value of this.#memberships.groups.keys()) follower.mark(value);
  }

  has(value: string): boolean {
    return this.#memberships.groups.has(value);
  }

  group(value: string): readonly V[] {
    return this.#memberships.read(value);
  }

  step(walk: Walk): void {
    if (this.#dirty.size === 0) return;
    const dirty = this.#dirty;
    this.#dirty = new Set();
    const touched = new Set<string>();
    for (const key of dirty) this.#memberships.move(key, this.#compute(key, walk), touched);
    this.failures.settle(walk);
    for (const value of touched) {
      for (const follower of this.#followers) follower.mark(value);
      this.cells.wake(value);
    }
  }

  describe(): readonly CollectionDump[] {
    const inputs = [this.collection.name];
    const bookkeeping = this.cells.countReaders() + this.#memberships.countEntries() + this.#dirty.size;
    const row = {
      name: this.name,
      kind: 'index' as const,
      size: this.#memberships.groups.size,
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
}

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
