import { type Outcome, sameError } from './outcome.ts';

/** Describes how two runs with the same input differ; undefined when they agree, as runs of a pure function do. */
export function describeImpurity<R>(
  first: Outcome<R>,
  second: Outcome<R>,
  equals: (a: R, b: R) => boolean,
): string | undefined {
  if (first.kind === 'threw' && second.kind === 'threw') {
    return sameError(first.error, second.error) ? undefined : 'two runs threw different errors';
  }
  if (first.kind === 'returned' && second.kind === 'returned') {
    return equals(first.result, second.result) ? undefined : 'two runs returned different results';
  }
  return 'of two runs one threw';
}

/**
 * Creates a function that makes values deeply immutable, so that code that changes a value of the graph throws at the
 * place of the change. Bytes cannot be frozen and stay writable. A freezer visits each object once, however often
 * values share it.
 */
export function createFreezer(): (value: unknown) => void {
  const frozen = new WeakSet<object>();
  const freeze = (value: unknown): void => {
    if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value) || frozen.has(value)) return;
    frozen.add(value);
    if (value instanceof Map || value instanceof Set) lock(value);
    for (const part of parts(value)) freeze(part);
    Object.freeze(value);
  };
  return freeze;
}

function* parts(value: object): Iterable<unknown> {
  if (value instanceof Map) yield* value.keys();
  if (value instanceof Map || value instanceof Set) yield* value.values();
  // Descriptors, because reading a property could run a getter.
  for (const property of Object.values(Object.getOwnPropertyDescriptors(value))) yield property.value;
}

/** Makes the mutators of a Map or a Set throw: `Object.freeze` leaves its members changeable. */
function lock(value: object): void {
  const refuse = (): never => {
    throw new TypeError('Values of a graph are immutable: make a new Map or Set.');
  };
  if (!Object.isExtensible(value)) return;
  for (const method of ['set', 'add', 'delete', 'clear']) Object.defineProperty(value, method, { value: refuse });
}
