import fc from 'fast-check';
import { type Manifest, more } from './base-manifests.ts';

/** Texts that are invalid as the value of any field. */
const invalidText: fc.Arbitrary<string> = fc.constantFrom(
  ...['true', '0.5', '-1', 'yes', 'y', '010', '1e3', '12:30', '.inf', '=', '!!binary aGk=', '!mine a'],
  ...['{ nonsense: 1 }', '[[]]', '{ <<: { from: All } }'],
);

/** Invalid texts, and the absent value. */
const orNull: fc.Arbitrary<string> = fc.oneof(invalidText, fc.constantFrom('null', '~'));

type Edit = (value: unknown) => unknown;

/** A placeholder in a value for text that JSON cannot express. */
const mark = (text: string): string => `\u2063${text}\u2063`;

/** Renders a manifest as JSON, which is YAML, with the marked texts verbatim. */
export function textOf(manifest: unknown): string {
  return JSON.stringify(manifest).replaceAll(/"\u2063(.*?)\u2063"/g, (_, text: string) => JSON.parse(`"${text}"`));
}

/** A manifest with one value replaced by an invalid one; where fields restrict, also with a field unknown, misspelt or without value. */
export function corrupted(manifest: Manifest): fc.Arbitrary<string> {
  const replaced = (fields: readonly string[], by: fc.Arbitrary<string>): fc.Arbitrary<string> =>
    fc.tuple(placeIn(manifest, fields), by).map(([edit, text]) => textOf(edit(() => mark(text))));
  const invalid = replaced(['spec', 'metadata', 'kind', 'apiVersion'], invalidText);
  if (!['Gateway', 'MCPAuthPolicy'].includes(manifest.kind)) return invalid;
  const added = fc
    .tuple(placeIn(manifest, ['spec']), orNull)
    .map(([edit, text]) =>
      textOf(edit((value) => (isMapping(value) ? { ...value, 'nonsense?': mark(text) } : mark(text)))),
    );
  const misspelt = fc
    .tuple(placeIn(manifest, ['spec']), fc.nat(8))
    .map(([edit, at]) => textOf(edit((value) => (isMapping(value) ? misspell(value, at) : mark('true')))));
  return fc.oneof(invalid, replaced(['spec'], orNull), added, misspelt);
}

/** Documents that are no manifests. */
export const meaningless: fc.Arbitrary<string> = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  soup(),
  fc.json({ maxDepth: 3 }),
  fc.constantFrom(...more).chain(unusable),
  fc.constantFrom(...more).chain((manifest) => truncated(textOf(manifest))),
);

/** An object that would grant more, with an unreadable frame or as invalid YAML. */
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
    invalidText.map((text) => textOf({ ...manifest, apiVersion: mark(text) })),
    invalidText.map((text) => textOf({ ...manifest, kind: mark(text) })),
    invalidText.map((text) => textOf({ ...manifest, metadata: mark(text) })),
    fc
      .constantFrom('a:b', 'a\u0000', 'A', '', '-a', 'a/b', 'ä')
      .map((name) => textOf({ ...manifest, metadata: { ...metadata, name } })),
    fc.constantFrom('\nkind: [', '\n---\n"', '\n\t- a', '\n--- *a', '}').map((tail) => `${textOf(manifest)}${tail}`),
    fc.constant(textOf(manifest).replace('{', `{ "kind": "${kind}", `)),
    fc.constantFrom('{}', '7', 'null').map((items) => `{ apiVersion: v1, kind: List, items: ${items} }`),
    fc.constant(`{ apiVersion: v2, kind: List, items: [${textOf(manifest)}] }`),
  );
}

/** A truncated file. */
function truncated(text: string): fc.Arbitrary<string> {
  return fc.integer({ min: 1, max: text.length - 1 }).map((length) => text.slice(0, length));
}

/** Random sequences of words of manifests and indicators of YAML. */
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

/** Every value below these fields of the manifest, as a function that replaces it and returns the whole manifest. */
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
