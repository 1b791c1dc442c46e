import fc from 'fast-check';
import { AmbiguousScalar } from '../../src/resources/resources.ts';
import type { Mapping } from './objects.ts';

/** Arbitrary and corrupted manifests. */

const FIELDS = [
  ...['apiVersion', 'kind', 'metadata', 'name', 'namespace', 'labels', 'annotations', 'spec', 'status', 'listeners'],
  ...[
    'allowedRoutes',
    'namespaces',
    'from',
    'selector',
    'matchLabels',
    'matchExpressions',
    'key',
    'operator',
    'values',
  ],
  ...['targetRefs', 'rules', 'matches', 'type', 'jwt', 'claim', 'value', 'serviceAccount', 'resource', 'ports', 'port'],
  ...['protocol', 'appProtocol', 'clusterIP', 'externalName', 'selfManaged', 'parametersRef', 'infrastructure'],
  ...['__proto__', 'constructor', 'toString', 'length', '', '0', 'y'],
];

const WORDS = [
  ...['', 'it', 'here', 'v1', 'Service', 'Gateway', 'Namespace', 'TCP', 'kgateway.dev/mcp', 'All', 'Selector', 'In'],
  ...[
    'JWT',
    'ServiceAccount',
    'tool',
    '*',
    'a/b:c',
    'None',
    '10.0.0.1',
    '::1',
    'ExternalName',
    'gateway.networking.k8s.io/v1',
  ],
  ...['gateway.kgateway.dev/v1alpha1', '\u0000', '\ud800', '\u009b'],
];

const ambiguous = fc.constantFrom('yes', 'y', '010', '1e3', '12:30').map((text) => new AmbiguousScalar(text));

const scalar = fc.oneof(
  fc.constantFrom(...WORDS),
  fc.string({ unit: 'binary' }),
  fc.constantFrom(null, undefined, true, false, 0, -0, 1, 80, 65536, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 10n),
  ambiguous,
);

/** Includes own keys such as `__proto__`, as `JSON.parse` creates them. */
function mappingOf(value: fc.Arbitrary<unknown>): fc.Arbitrary<Mapping> {
  const field = fc.oneof(fc.constantFrom(...FIELDS), fc.string());
  return fc.array(fc.tuple(field, value), { maxLength: 5 }).map((fields) => Object.fromEntries(fields));
}

/** Any value of any shape. */
export const garbage: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
  any: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    scalar,
    mappingOf(tie('any')),
    fc.array(tie('any'), { maxLength: 4 }),
  ),
})).any;

/** Values that no decoder accepts: no string, list, mapping or number in range. */
export const nonsense: fc.Arbitrary<unknown> = fc.oneof(fc.constantFrom(true, 0.5, -1, Number.NaN, 10n), ambiguous);

type Edit = (value: unknown) => unknown;

/** Replaces one value below `root`, or adds one field there, with a value of `replacement`. */
export function corrupted(object: Mapping, root: string, replacement: fc.Arbitrary<unknown>): fc.Arbitrary<Mapping> {
  const places = placesOf(object[root], (edit) => ({ ...object, [root]: edit(object[root]) }));
  return fc
    .tuple(fc.constantFrom(...places), replacement, fc.boolean(), fc.string())
    .map(([place, value, adds, field]) => {
      return place((old) => (adds && isMapping(old) ? { ...old, [`${field}?`]: value } : value));
    });
}

/** Misspells one field below `root`. */
export function misspelt(object: Mapping, root: string): fc.Arbitrary<Mapping> {
  const places = placesOf(object[root], (edit) => ({ ...object, [root]: edit(object[root]) }));
  return fc.tuple(fc.constantFrom(...places), fc.nat(10)).map(([place, at]) => {
    const rename = ([key, value]: [string, unknown], position: number): [string, unknown] => [
      position === at ? `${key}?` : key,
      value,
    ];
    return place((old) => (isMapping(old) ? Object.fromEntries(Object.entries(old).map(rename)) : old));
  });
}

/** Reverses the order of all keys, recursively. */
export function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (!isMapping(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, inner]) => [key, reversed(inner)]),
  );
}

/** One function for each nested value: it applies an edit to that value and returns the whole object. */
function placesOf(value: unknown, around: (edit: Edit) => Mapping): readonly ((edit: Edit) => Mapping)[] {
  const inner = (key: string | number, child: unknown): readonly ((edit: Edit) => Mapping)[] => {
    return placesOf(child, (edit) => around(() => replaced(value, key, edit(child))));
  };
  if (Array.isArray(value)) return [around, ...value.flatMap((child, at) => inner(at, child))];
  if (isMapping(value)) return [around, ...Object.entries(value).flatMap(([key, child]) => inner(key, child))];
  return [around];
}

function replaced(value: unknown, key: string | number, child: unknown): unknown {
  if (Array.isArray(value)) return value.map((old, at) => (at === key ? child : old));
  return isMapping(value) ? { ...value, [key]: child } : value;
}

function isMapping(value: unknown): value is Mapping {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof AmbiguousScalar);
}
