/** Decoding the objects that users write: what each kind means, strictly enough for `check`, tolerantly enough to serve. */
export { AmbiguousScalar } from './ambiguous-scalar.ts';
export { resourceKey } from './key.ts';
export { decode, kinds, matchKind } from './kinds/kinds.ts';
export { nearest } from './nearest.ts';
export { pathText } from './path.ts';
