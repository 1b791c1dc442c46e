import type { Manifest } from '../support/worlds/translated-world.ts';

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
  const spec = object['spec'];
  return places(spec, []).flatMap((place) =>
    values.map((value) => ({ ...object, spec: replaced(spec, place, value) })),
  );
}

/** Where a value stands, the outer ones first. */
function places(value: unknown, at: Place): readonly Place[] {
  if (typeof value !== 'object' || value === null) return [at];
  const inner = Array.isArray(value)
    ? value.flatMap((item, position) => places(item, [...at, position]))
    : Object.entries(value).flatMap(([field, item]) => places(item, [...at, field]));
  return [at, ...inner];
}

function replaced(whole: unknown, [key, ...rest]: Place, value: unknown): unknown {
  if (key === undefined) return value;
  if (Array.isArray(whole)) {
    const inner = replaced(whole[Number(key)], rest, value);
    // An entry of a list cannot be absent: the list without it is another object of the same kind.
    return inner === undefined ? whole.toSpliced(Number(key), 1) : whole.with(Number(key), inner);
  }
  const fields: Readonly<Record<string, unknown>> = { ...(typeof whole === 'object' && whole) };
  return { ...fields, [key]: replaced(fields[key], rest, value) };
}
