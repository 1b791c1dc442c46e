import { sameError, toError } from './failure.ts';

/** How a run ended. */
export type Outcome<R> =
  | { readonly kind: 'returned'; readonly result: R }
  | { readonly kind: 'threw'; readonly error: Error };

/** Runs a function whose bugs are to be contained. */
export function attempt<R>(run: () => R): Outcome<R> {
  try {
    return { kind: 'returned', result: run() };
  } catch (thrown) {
    return { kind: 'threw', error: toError(thrown) };
  }
}

/** In what two runs with one input differ: in nothing, when the function is pure. */
export function describeDifference<R>(
  first: Outcome<R>,
  second: Outcome<R>,
  same: (a: R, b: R) => boolean,
): string | undefined {
  if (first.kind === 'threw' && second.kind === 'threw') {
    return sameError(first.error, second.error) ? undefined : 'two runs threw different errors';
  }
  if (first.kind === 'returned' && second.kind === 'returned') {
    return same(first.result, second.result) ? undefined : 'two runs returned different results';
  }
  return 'of two runs one threw';
}
