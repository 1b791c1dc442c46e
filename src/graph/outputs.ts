import type { Store } from './collection.ts';
import type { Failure } from './model.ts';
import { OutputOwners } from './output-owners.ts';

/** Turns the results of runs into outputs. `derive` has a single output per input, `deriveMany` any number. */
export interface Outputs<R> {
  /** Replaces the result of the previous run of an input key. */
  replace(inputKey: string, result: R): void;
  /** Removes the result of an input key that was deleted or whose run threw. */
  remove(inputKey: string): void;
  /** Stages the outputs after the last run of a commit. Returns the failures that only all runs together show. */
  stage(): readonly Failure[];
  /** The output keys that an input key produces. */
  keysOf(inputKey: string): readonly string[];
  /** Compares two results, for the purity check. */
  equals(a: R, b: R): boolean;
  /** Counts the entries held, for the dump. */
  count(): number;
}

/** Creates the outputs of `derive`: zero or one, under the key of the input. */
export function createSingleOutput<O>(store: Store<O>): Outputs<O | undefined> {
  return {
    replace: (inputKey, result) => store.stage(inputKey, result),
    remove: (inputKey) => store.stage(inputKey, undefined),
    stage: () => [],
    keysOf: (inputKey) => (store.lookup(inputKey) === undefined ? [] : [inputKey]),
    equals: (a, b) => a === b || (a !== undefined && b !== undefined && store.equals(a, b)),
    count: () => 0,
  };
}

/** The outputs of one run of `deriveMany`, by output key. */
export type OutputMap<O> = ReadonlyMap<string, O>;

/** Collects the outputs of one run. Throws for a key that occurs twice and for a missing value. */
export function collectOutputs<O>(outputs: Iterable<readonly [key: string, value: O]>): OutputMap<O> {
  const collected = new Map<string, O>();
  for (const [key, value] of outputs) {
    if (collected.has(key)) throw new Error(`The output key "${key}" came twice from one input.`);
    if (value === undefined) throw new Error(`The output key "${key}" came without a value.`);
    collected.set(key, value);
  }
  return collected;
}

/**
 * The outputs of `deriveMany`. Each run owns its output keys: a key with one owner has the owner's value, a key in
 * conflict has none. This depends on the current owners alone, not on their order of arrival. The results of all owners
 * are kept, so the end of a conflict needs no run.
 */
export class ManyOutputs<O> implements Outputs<OutputMap<O>> {
  readonly #store: Store<O>;
  readonly #failures: Store<Failure>;
  readonly #owners = new OutputOwners();
  /** Input key → the result of its last run, unless that was empty. */
  readonly #results = new Map<string, OutputMap<O>>();
  /** Since the last `stage`: the output keys of all runs, before and after. */
  #touched = new Set<string>();
  /** Since the last `stage`: the output keys that gained or lost an owner. */
  #reowned = new Set<string>();
  /** Since the last `stage`: the input keys that ran or were removed. */
  #ran = new Set<string>();

  constructor(store: Store<O>, failures: Store<Failure>) {
    this.#store = store;
    this.#failures = failures;
  }

  replace(inputKey: string, result: OutputMap<O>): void {
    const before = this.#results.get(inputKey) ?? noOutputs;
    this.#ran.add(inputKey);
    for (const outputKey of before.keys()) {
      this.#touched.add(outputKey);
      if (result.has(outputKey)) continue;
      this.#owners.remove(outputKey, inputKey);
      this.#reowned.add(outputKey);
    }
    for (const outputKey of result.keys()) {
      this.#touched.add(outputKey);
      if (before.has(outputKey)) continue;
      this.#owners.add(outputKey, inputKey);
      this.#reowned.add(outputKey);
    }
    if (result.size === 0) this.#results.delete(inputKey);
    else this.#results.set(inputKey, result);
  }

  remove(inputKey: string): void {
    this.replace(inputKey, noOutputs);
  }

  stage(): readonly Failure[] {
    for (const outputKey of this.#touched) this.#store.stage(outputKey, this.#valueOf(outputKey));
    const failures = this.#stageFailures();
    this.#touched = new Set();
    this.#reowned = new Set();
    this.#ran = new Set();
    return failures;
  }

  keysOf(inputKey: string): readonly string[] {
    return [...(this.#results.get(inputKey) ?? noOutputs).keys()];
  }

  equals(a: OutputMap<O>, b: OutputMap<O>): boolean {
    const same = (key: string, value: O): boolean => {
      const other = b.get(key);
      return other !== undefined && this.#store.equals(value, other);
    };
    return a.size === b.size && [...a].every(([key, value]) => same(key, value));
  }

  count(): number {
    return this.#results.size + this.#owners.count() + this.#touched.size + this.#reowned.size + this.#ran.size;
  }

  #valueOf(outputKey: string): O | undefined {
    const owner = this.#owners.soleOwnerOf(outputKey);
    return owner === undefined ? undefined : this.#results.get(owner)?.get(outputKey);
  }

  /** A conflict is a failure of each owner, also of those that did not run in this commit. */
  #stageFailures(): readonly Failure[] {
    const affected = new Set(this.#ran);
    for (const outputKey of this.#reowned) {
      for (const inputKey of this.#owners.ownersOf(outputKey)) affected.add(inputKey);
    }
    const failures: Failure[] = [];
    for (const inputKey of affected) {
      // An input without outputs has no conflict; if its run threw, that failure stays staged.
      if (!this.#results.has(inputKey)) continue;
      const conflicts = this.#owners.conflictsOf(inputKey);
      const failure = conflicts && this.#conflictFailure(inputKey, conflicts);
      this.#failures.stage(inputKey, failure);
      if (failure !== undefined) failures.push(failure);
    }
    return failures;
  }

  #conflictFailure(inputKey: string, conflicts: ReadonlySet<string>): Failure {
    const parts = enumerate(conflicts, (key) => `${key} (by ${enumerate(this.#owners.ownersOf(key), String)})`);
    const error = new Error(`Output keys claimed by several inputs, hence without output: ${parts}.`);
    return { collection: this.#store.name, key: inputKey, error };
  }
}

const noOutputs: ReadonlyMap<string, never> = new Map<string, never>();

/** Lists the first three keys in their order: the message must not depend on history, nor grow without bound. */
function enumerate(keys: Iterable<string>, describe: (key: string) => string): string {
  const sorted = [...keys].sort();
  const shown = sorted.slice(0, 3).map(describe).join(', ');
  return sorted.length > 3 ? `${shown} and ${sorted.length - 3} more` : shown;
}
