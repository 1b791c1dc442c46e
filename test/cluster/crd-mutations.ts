import type { Manifest } from '../support/translated-world.ts';

/** What is put in the place of every value in turn. Nulls are missing: an API server drops them. */
const values: readonly unknown[] = [
  undefined,
  '',
  'x',
  'X',
  'a.b',
  'a:b',
  'a/b:c',
  '*',
  'jwt',
  'TOOL',
  'serviceAccount',
  'x-',
  'x y',
  'x\n',
  'ä',
  'x'.repeat(64),
  `${'x'.repeat(63)}.${'y'.repeat(190)}`,
  'x'.repeat(1025),
  5,
  0.5,
  true,
  [],
  ['x'],
  [{}],
  {},
  { x: 1 },
];

type Place = readonly (string | number)[];

/** Every object that differs from this one in one value of its spec; `undefined` is an absent field. */
export function mutations(object: Manifest): readonly Manifest[] {
  return places(object['spec'], ['spec']).flatMap((place) => values.map((value) => replaced(object, place, value)));
}

/** Where a value stands, the outer ones first. */
function places(value: unknown, at: Place): readonly Place[] {
  if (typeof value !== 'object' || value === null) return [at];
  const inner = Array.isArray(value)
    ? value.flatMap((item, position) => places(item, [...at, position]))
    : Object.entries(value).flatMap(([field, item]) => places(item, [...at, field]));
  return [at, ...inner];
}

function replaced<T>(whole: T, [key, ...rest]: Place, value: unknown): T {
  if (key === undefined) return value as T;
  const copy: Record<string | number, unknown> = structuredClone(whole) as Record<string | number, unknown>;
  const inner = replaced(copy[key], rest, value);
  // An entry of a list cannot be absent: the list without it is another object of the same kind.
  if (Array.isArray(copy) && inner === undefined) copy.splice(Number(key), 1);
  else copy[key] = inner;
  return copy as T;
}
