import { RecordingContext } from './context.ts';
import type { DerivedStore } from './derived.ts';
import type { CollectionDump, Context, Failure } from './model.ts';
import { attempt, describeDifference, type Outcome } from './outcome.ts';
import type { Outputs } from './single-output.ts';
import { type Cell, Reader } from './dependencies.ts';
import type { GraphState } from './node.ts';
import type { Dependent, Described, Step, Walk } from './step.ts';
import type { Store } from './collection.ts';

type KeyDump = NonNullable<CollectionDump['keys']>[string];

/** A transformation at work: which input keys have to run, what each of them read, and where results go. */
export class Derivation<I, O, R> implements Step, Dependent, Described {
  readonly #state: GraphState;
  readonly #input: Store<I>;
  readonly #transform: (value: I, context: Context, key: string) => R;
  readonly #output: DerivedStore<O>;
  readonly #outputs: Outputs<R>;
  /** Only for input keys whose last run read anything. */
  readonly #readers = new Map<string, Reader>();
  #dirty = new Set<string>();
  #runs = 0;

  constructor(
    state: GraphState,
    input: Store<I>,
    transform: (value: I, context: Context, key: string) => R,
    output: DerivedStore<O>,
    outputs: Outputs<R>,
  ) {
    this.#state = state;
    this.#input = input;
    this.#transform = transform;
    this.#output = output;
    this.#outputs = outputs;
    input.follow(this);
  }

  mark(key: string): void {
    this.#dirty.add(key);
  }

  step(walk: Walk): void {
    if (this.#dirty.size === 0) return;
    const dirty = this.#dirty;
    this.#dirty = new Set();
    for (const key of dirty) this.#refresh(key, walk);
    for (const failure of this.#outputs.finish()) walk.fail(failure);
    this.#output.settle(walk);
    this.#output.failures.settle(walk);
  }

  describe(withKeys: boolean): readonly CollectionDump[] {
    const row = this.#output.row('derived', [this.#input.name]);
    const own = this.#readers.size + this.#countReads() + this.#outputs.countEntries() + this.#dirty.size;
    const derived = { ...row, runs: this.#runs, bookkeeping: row.bookkeeping + own };
    const failures = this.#output.failures.row('failures', [this.#output.name]);
    return [withKeys ? { ...derived, keys: this.#describeKeys() } : derived, failures];
  }

  #refresh(key: string, walk: Walk): void {
    const value = this.#input.held(key);
    if (value === undefined) {
      this.#record(key, new Set());
      this.#drop(key, undefined);
      return;
    }
    const { outcome, reads } = this.#run(key, value);
    this.#runs += 1;
    walk.countRun();
    this.#record(key, reads);
    if (this.#state.freeze !== undefined) this.#check(key, value, { outcome, reads }, walk);
    if (outcome.kind === 'returned') {
      this.#output.failures.stage(key, undefined);
      this.#outputs.accept(key, outcome.result);
    } else {
      const failure: Failure = { collection: this.#output.name, key, error: outcome.error };
      walk.fail(failure);
      this.#drop(key, failure);
    }
  }

  #drop(key: string, failure: Failure | undefined): void {
    this.#output.failures.stage(key, failure);
    this.#outputs.drop(key);
  }

  #run(key: string, value: I): Run<R> {
    const context = new RecordingContext(this.#state, this.#output);
    const outcome = attempt(() => this.#transform(value, context, key));
    context.close();
    return { outcome, reads: context.reads };
  }

  /** Runs once more, with the first result frozen, and compares what came out and what was read. */
  #check(key: string, value: I, first: Run<R>, walk: Walk): void {
    if (first.outcome.kind === 'returned') this.#state.freeze?.(first.outcome.result);
    const second = this.#run(key, value);
    const same = (a: R, b: R): boolean => this.#outputs.same(a, b);
    const difference = describeDifference(first.outcome, second.outcome, same) ?? describeReads(first, second);
    for (const cell of second.reads) cell.vacateIfUnread();
    if (difference === undefined) return;
    walk.impure(new Error(`The transformation of "${this.#output.name}" is impure for key "${key}": ${difference}.`));
  }

  /** Also after a run that threw: what it read is what can heal it. */
  #record(key: string, reads: ReadonlySet<Cell>): void {
    const known = this.#readers.get(key);
    if (known === undefined && reads.size === 0) return;
    const reader = known ?? new Reader(this, key);
    reader.record(reads);
    if (reads.size === 0) this.#readers.delete(key);
    else if (known === undefined) this.#readers.set(key, reader);
  }

  #countReads(): number {
    let count = 0;
    for (const reader of this.#readers.values()) count += reader.reads.size;
    return count;
  }

  #describeKeys(): Readonly<Record<string, KeyDump>> {
    const describe = (key: string): KeyDump => ({
      outputs: this.#outputs.keysOf(key),
      reads: [...(this.#readers.get(key)?.reads ?? [])].map((cell) => cell.describe()),
    });
    // Unlike an assignment, this takes every key for what it is, `__proto__` included.
    return Object.fromEntries([...this.#input.keys()].map((key) => [key, describe(key)]));
  }
}

interface Run<R> {
  readonly outcome: Outcome<R>;
  readonly reads: ReadonlySet<Cell>;
}

function describeReads(first: Run<unknown>, second: Run<unknown>): string | undefined {
  const same = first.reads.size === second.reads.size && [...first.reads].every((cell) => second.reads.has(cell));
  return same ? undefined : 'two runs read different things';
}
