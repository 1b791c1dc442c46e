import type { Failure } from './model.ts';

/** The end of a run of a transformation or an index function. */
export type Outcome<R> =
  | { readonly kind: 'returned'; readonly result: R }
  | { readonly kind: 'threw'; readonly error: Error };

/** Runs a function and contains what it throws. */
export function attempt<R>(run: () => R): Outcome<R> {
  try {
    return { kind: 'returned', result: run() };
  } catch (thrown) {
    return { kind: 'threw', error: toError(thrown) };
  }
}

/** Makes an Error of anything thrown; a value that is no Error becomes its cause. */
export function toError(thrown: unknown): Error {
  if (thrown instanceof Error) return thrown;
  return new Error(typeof thrown === 'string' ? thrown : `A value of type ${typeof thrown} was thrown, not an Error.`, {
    cause: thrown,
  });
}

/** Compares errors without their stacks, which differ between two throws of the same error. */
export function sameError(a: Error, b: Error): boolean {
  return a.name === b.name && a.message === b.message;
}

/** The equality of collections of failures. */
export function sameFailure(a: Failure, b: Failure): boolean {
  return a.collection === b.collection && a.key === b.key && sameError(a.error, b.error);
}
