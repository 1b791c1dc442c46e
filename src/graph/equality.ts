/**
 * Compares plain data by structure: primitives (by `Object.is`), arrays, plain objects, Map, Set, and Uint8Array with
 * its subclasses. Anything else, such as a class instance or a function, equals only itself: its state may be private.
 *
 * The order of an object's keys and of the members of a Map or a Set counts. A transformation can see that order, and
 * values that a transformation can distinguish must not count as equal: the current one would then depend on history.
 */
export function structurallyEqual(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  const prototype: unknown = Object.getPrototypeOf(a);
  if (prototype !== Object.getPrototypeOf(b)) return false;
  if (prototype === Object.prototype || prototype === null) return isRecord(a) && isRecord(b) && equalRecords(a, b);
  if (prototype === Array.prototype) return Array.isArray(a) && Array.isArray(b) && equalLists(a, b);
  if (prototype === Map.prototype) return a instanceof Map && b instanceof Map && equalMaps(a, b);
  if (prototype === Set.prototype) return a instanceof Set && b instanceof Set && equalSets(a, b);
  return a instanceof Uint8Array && b instanceof Uint8Array && equalBytes(a, b);
}

type PlainRecord = Readonly<Record<string, unknown>>;

function isRecord(value: object): value is PlainRecord {
  return !Array.isArray(value);
}

function equalRecords(a: PlainRecord, b: PlainRecord): boolean {
  const keys = Object.keys(a);
  const others = Object.keys(b);
  if (keys.length !== others.length) return false;
  return keys.every((key, at) => key === others[at] && structurallyEqual(a[key], b[key]));
}

function equalLists(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a.length === b.length && a.every((item, at) => structurallyEqual(item, b[at]));
}

function equalMaps(a: ReadonlyMap<unknown, unknown>, b: ReadonlyMap<unknown, unknown>): boolean {
  return a.size === b.size && equalSequences(a, b);
}

function equalSets(a: ReadonlySet<unknown>, b: ReadonlySet<unknown>): boolean {
  return a.size === b.size && equalSequences(a, b);
}

/** Both must have the same length. */
function equalSequences(a: Iterable<unknown>, b: Iterable<unknown>): boolean {
  const others = b[Symbol.iterator]();
  for (const item of a) {
    if (!structurallyEqual(item, others.next().value)) return false;
  }
  return true;
}

function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, at) => byte === b[at]);
}
