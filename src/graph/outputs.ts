import { Claimants } from './output-owners.ts';
import type { Failure } from './model.ts';
import type { Outputs } from './single-output.ts';
import type { Store } from './collection.ts';

/** What one run of a `deriveMany` transformation yielded. */
export type Yield<O> = ReadonlyMap<string, O>;

/** Reads the outputs of one run to the end. A key that comes twice, or without a value, is a bug of the run. */
export function collect<O>(outputs: Iterable<readonly [key: string, value: O]>): Yield<O> {
  const yielded = new Map<string, O>();
  for (const [key, value] of outputs) {
    if (yielded.has(key)) throw new Error(`The output key "${key}" came twice from one input.`);
    if (value === undefined) throw new Error(`The output key "${key}" came without a value.`);
    yielded.set(key, value);
  }
  return yielded;
}

/**
 * Any number of outputs for one input. A run claims its output keys; a key with one claimant has that one's value, a
 * contested key has none. This depends on the claims alone, never on who came first, and since values are kept beside
 * the claims, nothing runs again when a claimant lets go.
 */
export class ClaimedOutputs<O> implements Outputs<Yield<O>> {
  readonly #output: Store<O>;
  readonly #failures: Store<Failure>;
  readonly #claimants = new Claimants();
  /** Input key → what its last run yielded, unless that was nothing. */
  readonly #yields = new Map<string, Yield<O>>();
  #touched = new Set<string>();
  /** The output keys that gained or lost a claimant. */
  #moved = new Set<string>();
  #ran = new Set<string>();

  constructor(output: Store<O>, failures: Store<Failure>) {
    this.#output = output;
    this.#failures = failures;
  }

  accept(inputKey: string, result: Yield<O>): void {
    const before = this.#yields.get(inputKey) ?? nothing;
    this.#ran.add(inputKey);
    for (const outputKey of before.keys()) {
      this.#touched.add(outputKey);
      if (result.has(outputKey)) continue;
      this.#claimants.release(outputKey, inputKey);
      this.#moved.add(outputKey);
    }
    for (const outputKey of result.keys()) {
      this.#touched.add(outputKey);
      if (before.has(outputKey)) continue;
      this.#claimants.claim(outputKey, inputKey);
      this.#moved.add(outputKey);
    }
    if (result.size === 0) this.#yields.delete(inputKey);
    else this.#yields.set(inputKey, result);
  }

  drop(inputKey: string): void {
    this.accept(inputKey, nothing);
  }

  finish(): readonly Failure[] {
    for (const outputKey of this.#touched) this.#output.stage(outputKey, this.#valueOf(outputKey));
    const failures = this.#stageFailures();
    this.#touched = new Set();
    this.#moved = new Set();
    this.#ran = new Set();
    return failures;
  }

  keysOf(inputKey: string): readonly string[] {
    return [...(this.#yields.get(inputKey) ?? nothing).keys()];
  }

  same(a: Yield<O>, b: Yield<O>): boolean {
    const same = (key: string, value: O): boolean => {
      const other = b.get(key);
      return other !== undefined && this.#output.equals(value, other);
    };
    return a.size === b.size && [...a].every(([key, value]) => same(key, value));
  }

  countEntries(): number {
    return this.#yields.size + this.#claimants.countEntries() + this.#touched.size + this.#moved.size + this.#ran.size;
  }

  #valueOf(outputKey: string): O | undefined {
    const claimant = this.#claimants.only(outputKey);
    return claimant === undefined ? undefined : this.#yields.get(claimant)?.get(outputKey);
  }

  /** Every claimant of a contested key fails for it, whether it ran now or long ago. */
  #stageFailures(): readonly Failure[] {
    const concerned = new Set(this.#ran);
    for (const outputKey of this.#moved) {
      for (const inputKey of this.#claimants.of(outputKey)) concerned.add(inputKey);
    }
    const failures: Failure[] = [];
    for (const inputKey of concerned) {
      // One that yielded nothing claims nothing; if it threw, that failure stands.
      if (!this.#yields.has(inputKey)) continue;
      const contested = this.#claimants.contestedOf(inputKey);
      const failure = contested && this.#contestFailure(inputKey, contested);
      this.#failures.stage(inputKey, failure);
      if (failure !== undefined) failures.push(failure);
    }
    return failures;
  }

  #contestFailure(inputKey: string, contested: ReadonlySet<string>): Failure {
    const parts = enumerate(contested, (key) => `${key} (by ${enumerate(this.#claimants.of(key), String)})`);
    const error = new Error(`Output keys claimed by several inputs, hence without output: ${parts}.`);
    return { collection: this.#output.name, key: inputKey, error };
  }
}

const nothing: ReadonlyMap<string, never> = new Map<string, never>();

/** The first few in the order of the keys: the message must not depend on history, nor grow without bound. */
function enumerate(keys: Iterable<string>, describe: (key: string) => string): string {
  const sorted = [...keys].sort();
  const shown = sorted.slice(0, 3).map(describe).join(', ');
  return sorted.length > 3 ? `${shown} and ${sorted.length - 3} more` : shown;
}
