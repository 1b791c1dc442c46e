import type { Failure } from './model.ts';

/** Makes an Error of anything thrown; what was no Error becomes the cause. */
export function toError(thrown: unknown): Error {
  if (thrown instanceof Error) return thrown;
  return new Error(typeof thrown === 'string' ? thrown : `A value of type ${typeof thrown} was thrown, not an Error.`, {
    cause: thrown,
  });
}

/** The stack is left out: it differs between two throws of the same error. */
export function sameError(a: Error, b: Error): boolean {
  return a.name === b.name && a.message === b.message;
}

/** Equality of the collections of failures. */
export function sameFailure(a: Failure, b: Failure): boolean {
  return a.collection === b.collection && a.key === b.key && sameError(a.error, b.error);
}
