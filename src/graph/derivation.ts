import type { DerivedStore, Store } from './collection.ts';
import { RecordingContext } from './context.ts';
import { type Dependency, Reader } from './dependencies.ts';
import type { CollectionDump, Context, DeriveOptions, Failure } from './model.ts';
import type { Dependent, Dumpable, GraphState, Node, OpenCommit } from './node.ts';
import { attempt, type Outcome } from './outcome.ts';
import type { Outputs } from './outputs.ts';
import { describeImpurity } from './purity.ts';

type KeyDump = NonNullable<CollectionDump['keys']>[string];

/** The node of a derived collection: runs the transformation for dirty input keys and tracks what each run read. */
export class Derivation<I, O, R> implements Node, Dependent, Dumpable {
  readonly #state: GraphState;
  readonly #input: Store<I>;
  readonly #transform: (value: I, context: Context, key: string) => R;
  readonly #output: DerivedStore<O>;
  readonly #outputs: Outputs<R>;
  /** By input key; absent for an input key whose last run read nothing. */
  readonly #readers = new Map<string, Reader>();
  readonly #atOnce: number;
  readonly #whole: boolean;
  #dirty = new Set<string>();
  /** Input keys whose outputs are those of an earlier epoch, beside the dirty ones. */
  readonly #postponed = new Set<string>();
  #runs = 0;

  constructor(
    state: GraphState,
    input: Store<I>,
    transform: (value: I, context: Context, key: string) => R,
    output: DerivedStore<O>,
    outputs: Outputs<R>,
    { atOnce = Number.POSITIVE_INFINITY, whole = false }: Pick<DeriveOptions<O>, 'atOnce' | 'whole'> = {},
  ) {
    this.#state = state;
    this.#input = input;
    this.#transform = transform;
    this.#output = output;
    this.#outputs = outputs;
    this.#atOnce = atOnce;
    this.#whole = whole;
    output.isPostponed = (key) => this.#dirty.has(key) || this.#postponed.has(key);
    input.addDependent(this);
  }

  /** Whether something is left for a later commit. */
  get isUnfinished(): boolean {
    return this.#postponed.size > 0;
  }

  invalidate(key: string): void {
    this.#dirty.add(key);
  }

  update(commit: OpenCommit): void {
    if (this.#whole && this.#state.isPartial) return;
    const resumes = this.#state.isResuming && this.isUnfinished;
    if (this.#dirty.size === 0 && !resumes) return;
    const dirty = this.#dirty;
    this.#dirty = new Set();
    for (const key of this.#state.postpones || resumes ? this.#take(dirty) : dirty) this.#recompute(key, commit);
    for (const failure of this.#outputs.stage()) commit.addFailure(failure);
    this.#output.applyStaged(commit);
    this.#output.failures.applyStaged(commit);
  }

  /** Returns the keys that are computed now: those that changed first, since their own inputs did, then older ones. */
  #take(dirty: ReadonlySet<string>): readonly string[] {
    const taken: string[] = [];
    for (const key of dirty) {
      if (taken.length === this.#atOnce) this.#postponed.add(key);
      else {
        this.#postponed.delete(key);
        taken.push(key);
      }
    }
    if (!this.#state.isResuming) return taken;
    for (const key of this.#postponed) {
      if (taken.length === this.#atOnce) break;
      this.#postponed.delete(key);
      taken.push(key);
    }
    return taken;
  }

  dump(withKeys: boolean): readonly CollectionDump[] {
    const row = this.#output.dumpRow('derived', [this.#input.name]);
    const own = this.#readers.size + this.#countDependencies() + this.#outputs.count() + this.#dirty.size;
    const derived = { ...row, runs: this.#runs, bookkeeping: row.bookkeeping + own };
    const failures = this.#output.failures.dumpRow('failures', [this.#output.name]);
    return [withKeys ? { ...derived, keys: this.#dumpKeys() } : derived, failures];
  }

  #recompute(key: string, commit: OpenCommit): void {
    const value = this.#input.lookup(key);
    if (value === undefined) {
      this.#replaceDependencies(key, new Set());
      this.#removeOutputs(key, undefined);
      return;
    }
    const { outcome, dependencies } = this.#run(key, value);
    this.#runs += 1;
    commit.countRun();
    this.#replaceDependencies(key, dependencies);
    if (this.#state.freeze !== undefined) this.#checkPurity(key, value, { outcome, dependencies }, commit);
    if (outcome.kind === 'returned') {
      this.#output.failures.stage(key, undefined);
      this.#outputs.replace(key, outcome.result);
    } else {
      const failure: Failure = { collection: this.#output.name, key, error: outcome.error };
      commit.addFailure(failure);
      this.#removeOutputs(key, failure);
    }
  }

  #removeOutputs(key: string, failure: Failure | undefined): void {
    this.#output.failures.stage(key, failure);
    this.#outputs.remove(key);
  }

  #run(key: string, value: I): Run<R> {
    const context = new RecordingContext(this.#state, this.#output);
    const outcome = attempt(() => this.#transform(value, context, key));
    context.close();
    return { outcome, dependencies: context.dependencies };
  }

  /** Runs the transformation again, with the first result frozen, and compares results and dependencies. */
  #checkPurity(key: string, value: I, first: Run<R>, commit: OpenCommit): void {
    if (first.outcome.kind === 'returned') this.#state.freeze?.(first.outcome.result);
    const second = this.#run(key, value);
    const equals = (a: R, b: R): boolean => this.#outputs.equals(a, b);
    const impurity = describeImpurity(first.outcome, second.outcome, equals) ?? compareDependencies(first, second);
    for (const dependency of second.dependencies) dependency.releaseIfUnread();
    if (impurity === undefined) return;
    commit.addImpurity(
      new Error(`The transformation of "${this.#output.name}" is impure for key "${key}": ${impurity}.`),
    );
  }

  /** Replaces the dependencies of a key, also after a run that threw: a change of what it read may end the failure. */
  #replaceDependencies(key: string, dependencies: ReadonlySet<Dependency>): void {
    const known = this.#readers.get(key);
    if (known === undefined && dependencies.size === 0) return;
    const reader = known ?? new Reader(this, key);
    reader.replaceDependencies(dependencies);
    if (dependencies.size === 0) this.#readers.delete(key);
    else if (known === undefined) this.#readers.set(key, reader);
  }

  #countDependencies(): number {
    let count = 0;
    for (const reader of this.#readers.values()) count += reader.dependencies.size;
    return count;
  }

  #dumpKeys(): Readonly<Record<string, KeyDump>> {
    const dumpKey = (key: string): KeyDump => ({
      outputs: this.#outputs.keysOf(key),
      reads: [...(this.#readers.get(key)?.dependencies ?? [])].map((dependency) => dependency.describe()),
    });
    // Unlike an assignment, Object.fromEntries makes `__proto__` an own property.
    return Object.fromEntries([...this.#input.keys()].map((key) => [key, dumpKey(key)]));
  }
}

interface Run<R> {
  readonly outcome: Outcome<R>;
  readonly dependencies: ReadonlySet<Dependency>;
}

function compareDependencies(first: Run<unknown>, second: Run<unknown>): string | undefined {
  const same =
    first.dependencies.size === second.dependencies.size &&
    [...first.dependencies].every((dependency) => second.dependencies.has(dependency));
  return same ? undefined : 'two runs read different things';
}
