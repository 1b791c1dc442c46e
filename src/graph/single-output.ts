import type { Failure } from './model.ts';
import type { Store } from './collection.ts';

/** What becomes of the results of runs: the one place where a single output and many outputs per input differ. */
export interface Outputs<R> {
  /** Takes the result of a run in place of the input key's previous one. */
  accept(inputKey: string, result: R): void;
  /** The input key is gone, or its run threw. */
  drop(inputKey: string): void;
  /** After the last run of a commit: stages what all runs come to. Returns failures that no single run could know of. */
  finish(): readonly Failure[];
  /** The output keys that an input key produces or claims. */
  keysOf(inputKey: string): readonly string[];
  /** Same result? For the purity check. */
  same(a: R, b: R): boolean;
  /** Entries of bookkeeping held. */
  countEntries(): number;
}

/** Zero or one output, under the key of the input. */
export function createSingleOutput<O>(output: Store<O>): Outputs<O | undefined> {
  return {
    accept: (inputKey, result) => output.stage(inputKey, result),
    drop: (inputKey) => output.stage(inputKey, undefined),
    finish: () => [],
    keysOf: (inputKey) => (output.held(inputKey) === undefined ? [] : [inputKey]),
    same: (a, b) => a === b || (a !== undefined && b !== undefined && output.equals(a, b)),
    countEntries: () => 0,
  };
}
