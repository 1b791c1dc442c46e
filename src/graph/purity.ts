/**
 * A function that makes values deeply immutable, so that a change of what a graph holds throws where it is made.
 * Bytes cannot be frozen and stay as they are. Each object is visited once per freezer, however often it is shared.
 */
export function createFreezer(): (value: unknown) => void {
  const done = new WeakSet<object>();
  const freeze = (value: unknown): void => {
    if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value) || done.has(value)) return;
    done.add(value);
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

/** `Object.freeze` leaves the members of a Map or a Set changeable. */
function lock(value: object): void {
  const refuse = (): never => {
    throw new TypeError('Values of a graph are immutable: make a new Map or Set.');
  };
  if (!Object.isExtensible(value)) return;
  for (const method of ['set', 'add', 'delete', 'clear']) Object.defineProperty(value, method, { value: refuse });
}
