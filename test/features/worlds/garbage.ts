import fc from 'fast-check';
import { type Manifest, more } from './spoilable.ts';

/** Text that nobody understands where a manifest has something. */
const nonsense: fc.Arbitrary<string> = fc.constantFrom(
  ...['true', '0.5', '-1', 'yes', 'y', '010', '1e3', '12:30', '.inf', '=', '!!binary aGk=', '!mine a'],
  ...['{ nonsense: 1 }', '[[]]', '{ <<: { from: All } }'],
);

/** The same, and what a field without a value means. */
const orNull: fc.Arbitrary<string> = fc.oneof(nonsense, fc.constantFrom('null', '~'));

type Edit = (value: unknown) => unknown;

/** Stands in a value for text that JSON has no word for. */
const mark = (text: string): string => `\u2063${text}\u2063`;

/** A manifest as text: JSON, which is YAML, with the marked texts as they are. */
export function textOf(manifest: unknown): string {
  return JSON.stringify(manifest).replaceAll(/"\u2063(.*?)\u2063"/g, (_, text: string) => JSON.parse(`"${text}"`));
}

/** A manifest with one value replaced by nonsense; where fields narrow, also with one unknown, misspelt or without value. */
export function spoilt(manifest: Manifest): fc.Arbitrary<string> {
  const replaced = (fields: readonly string[], by: fc.Arbitrary<string>): fc.Arbitrary<string> =>
    fc.tuple(placeIn(manifest, fields), by).map(([edit, text]) => textOf(edit(() => mark(text))));
  const senseless = replaced(['spec', 'metadata', 'kind', 'apiVersion'], nonsense);
  if (!['Gateway', 'MCPAuthPolicy'].includes(manifest.kind)) return senseless;
  const added = fc
    .tuple(placeIn(manifest, ['spec']), orNull)
    .map(([edit, text]) =>
      textOf(edit((value) => (isMapping(value) ? { ...value, 'nonsense?': mark(text) } : mark(text)))),
    );
  const misspelt = fc
    .tuple(placeIn(manifest, ['spec']), fc.nat(8))
    .map(([edit, at]) => textOf(edit((value) => (isMapping(value) ? misspell(value, at) : mark('true')))));
  return fc.oneof(senseless, replaced(['spec'], orNull), added, misspelt);
}

/** Documents that mean nothing at all, whatever stands in them. */
export const meaningless: fc.Arbitrary<string> = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  soup(),
  fc.json({ maxDepth: 3 }),
  fc.constantFrom(...more).chain(unusable),
  fc.constantFrom(...more).chain((manifest) => truncated(textOf(manifest))),
);

/** Something that would allow more, were it not for a frame that cannot be read or a text that is no YAML. */
function unusable(manifest: Manifest): fc.Arbitrary<string> {
  const { apiVersion, kind, metadata } = manifest;
  const versions = [
    'v2',
    'v1beta1',
    'example.com/v1',
    '',
    ` ${apiVersion}`,
    apiVersion.toUpperCase(),
    `${apiVersion}1`,
  ];
  return fc.oneof(
    fc.constantFrom(...versions).map((version) => textOf({ ...manifest, apiVersion: version })),
    fc
      .constantFrom(kind.toLowerCase(), `${kind}s`, `${kind} `, '')
      .map((other) => textOf({ ...manifest, kind: other })),
    nonsense.map((text) => textOf({ ...manifest, apiVersion: mark(text) })),
    nonsense.map((text) => textOf({ ...manifest, kind: mark(text) })),
    nonsense.map((text) => textOf({ ...manifest, metadata: mark(text) })),
    fc
      .constantFrom('a:b', 'a\u0000', 'A', '', '-a', 'a/b', 'ä')
      .map((name) => textOf({ ...manifest, metadata: { ...metadata, name } })),
    fc.constantFrom('\nkind: [', '\n---\n"', '\n\t- a', '\n--- *a', '}').map((tail) => `${textOf(manifest)}${tail}`),
    fc.constant(textOf(manifest).replace('{', `{ "kind": "${kind}", `)),
    fc.constantFrom('{}', '7', 'null').map((items) => `{ apiVersion: v1, kind: List, items: ${items} }`),
    fc.constant(`{ apiVersion: v2, kind: List, items: [${textOf(manifest)}] }`),
  );
}

/** A file that was not written to its end. */
function truncated(text: string): fc.Arbitrary<string> {
  return fc.integer({ min: 1, max: text.length - 1 }).map((length) => text.slice(0, length));
}

/** Words of manifests and signs of YAML, as they come. */
function soup(): fc.Arbitrary<string> {
  const words = [
    'apiVersion',
    'v1',
    'kind',
    'Service',
    'Gateway',
    'Namespace',
    'metadata',
    'name',
    'spec',
    'labels',
    'red',
    'grey',
  ];
  const signs = [
    ': ',
    '\n',
    '\n  ',
    '- ',
    '{ ',
    ' }',
    '[',
    ']',
    ', ',
    '---\n',
    '&a ',
    '*a',
    '? ',
    '| ',
    '"',
    '#',
    '!!str ',
    '<<',
    '%',
  ];
  return fc.array(fc.constantFrom(...words, ...signs), { maxLength: 20 }).map((tokens) => tokens.join(''));
}

/** Any value in these fields of the manifest: what changes it there and gives the whole. */
function placeIn(manifest: Manifest, fields: readonly string[]): fc.Arbitrary<(edit: Edit) => unknown> {
  const present = fields.filter((field) => field in manifest);
  const places = present.flatMap((field) =>
    placesOf(manifest[field], (edit) => ({ ...manifest, [field]: edit(manifest[field]) })),
  );
  return fc.constantFrom(...places);
}

function placesOf(value: unknown, around: (edit: Edit) => unknown): readonly ((edit: Edit) => unknown)[] {
  const children: readonly (readonly [string | number, unknown])[] = Array.isArray(value)
    ? [...value.entries()]
    : isMapping(value)
      ? Object.entries(value)
      : [];
  const inner = children.flatMap(([key, child]) =>
    placesOf(child, (edit) => around(() => withChild(value, key, edit(child)))),
  );
  return [around, ...inner];
}

function withChild(value: unknown, key: string | number, child: unknown): unknown {
  if (Array.isArray(value)) return value.map((old: unknown, at) => (at === key ? child : old));
  return isMapping(value) ? { ...value, [key]: child } : value;
}

function misspell(value: Readonly<Record<string, unknown>>, at: number): Readonly<Record<string, unknown>> {
  const entries = Object.entries(value);
  return Object.fromEntries(entries.map(([key, inner], n) => [n === at % entries.length ? `${key}?` : key, inner]));
}

function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
