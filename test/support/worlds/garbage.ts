import fc from 'fast-check';
import type { KindName } from '../../../src/resources/model.ts';
import type { Manifest } from './translated-world.ts';

/**
 * Worlds to which only invalid input is added, in any position. Nothing valid is added, so nothing that was denied may
 * become allowed.
 */

type Mapping = Readonly<Record<string, unknown>>;
type Path = readonly (string | number)[];

/** Changes one place of an object. */
type Spoiling = (value: unknown) => unknown;

const junk = fc.constantFrom<unknown>(null, 5, true, '', 'not valid!', [], {}, ['x'], { x: 1 });
/** Values that are valid in no field. */
const plainJunk = fc.constantFrom<unknown>(true, 'not valid!');
const unknownField = fc.constantFrom('zzz', 'Name', 'sectionname', 'matchLabel', 'action', 'allowedroutes');

/** Mappings whose keys are data: no key of them is an unknown field. */
const freeMappings = ['matchLabels', 'labels', 'annotations', 'metadata'];
/** Lists whose entries are independent or narrowing. Selector values are not among them: another value selects more. */
const partLists = ['listeners', 'rules', 'matches', 'targetRefs', 'ports', 'matchExpressions', 'kinds', 'addresses'];

/** A world with invalid input in or beside its objects. */
export function withGarbage(world: readonly Manifest[]): fc.Arbitrary<readonly Manifest[]> {
  const beside = garbageObject.map((object) => [...world, object]);
  const within = fc.nat(world.length - 1).chain((at) => {
    const spoilt = world[at];
    if (spoilt === undefined) return fc.constant(world);
    if (spoilt.kind === 'Namespace') return spoilLabels(spoilt).map((object) => world.with(at, object));
    return spoil(spoilt).map((object) => world.with(at, object));
  });
  return fc.oneof({ arbitrary: within, weight: 4 }, { arbitrary: beside, weight: 1 });
}

/** Invalid labels make all labels of the object unknown; absent labels are valid. */
function spoilLabels(manifest: Manifest): fc.Arbitrary<Manifest> {
  const metadata = isMapping(manifest['metadata']) ? manifest['metadata'] : {};
  return fc
    .constantFrom<unknown>(5, [], { team: 5 }, { env: null }, { 'not valid!': 'red' })
    .map((labels) => ({ ...manifest, metadata: { ...metadata, labels } }));
}

function spoil(manifest: Manifest): fc.Arbitrary<Manifest> {
  const spec = manifest['spec'];
  const places = [...placesOf(spec, ['spec'])];
  const spoilings = places.flatMap(({ path, value }) =>
    spoilingsOf(manifest.kind, path, value).map((how) => ({ path, how })),
  );
  if (spoilings.length === 0) return fc.constant(manifest);
  return fc
    .constantFrom(...spoilings)
    .chain(({ path, how }) => how.map((change) => ({ ...manifest, spec: changed(spec, path.slice(1), change) })));
}

/** The mutations that are possible at a place. */
function spoilingsOf(kind: KindName, path: Path, value: unknown): readonly fc.Arbitrary<Spoiling>[] {
  const name = path.findLast((step) => typeof step === 'string');
  const last = path.at(-1);
  const spoilings: fc.Arbitrary<Spoiling>[] = [];
  if (isMapping(value) && !freeMappings.includes(String(last))) spoilings.push(anUnknownField);
  if (Array.isArray(value) && partLists.includes(String(last))) spoilings.push(aPartMore);
  if (mayBeReplaced(kind, path, String(name))) spoilings.push(kind === 'Service' ? replacedByPlainJunk : replaced);
  return spoilings;
}

const anUnknownField: fc.Arbitrary<Spoiling> = fc.tuple(unknownField, junk).map(([field, value]) => (mapping) => ({
  ...(isMapping(mapping) ? mapping : {}),
  [field]: value,
}));

const aPartMore: fc.Arbitrary<Spoiling> = fc.tuple(fc.nat(4), junk).map(([position, part]) => (list) => {
  const parts: readonly unknown[] = Array.isArray(list) ? list : [];
  return parts.toSpliced(Math.min(position, parts.length), 0, part);
});

const replaced: fc.Arbitrary<Spoiling> = fc.constantFrom<unknown>(null, 5, true).map((value) => () => value);
const replacedByPlainJunk: fc.Arbitrary<Spoiling> = plainJunk.map((value) => () => value);

/** Elsewhere a replaced value can resolve a conflict, which widens for a valid reason. */
function mayBeReplaced(kind: KindName, path: Path, name: string): boolean {
  if (kind === 'MCPAuthPolicy') return path.length > 1;
  if (kind === 'Gateway') return path.includes('allowedRoutes');
  return kind === 'Service' && ['appProtocol', 'clusterIP', 'externalName', 'type'].includes(name);
}

/** An invalid object without a name, or with one that nothing refers to. */
const garbageObject: fc.Arbitrary<Manifest> = fc
  .tuple(
    fc.constantFrom<readonly [string, KindName]>(
      ['gateway.networking.k8s.io/v1', 'GatewayClass'],
      ['gateway.networking.k8s.io/v1', 'Gateway'],
      ['gateway.kgateway.dev/v1alpha1', 'GatewayParameters'],
      ['gateway.kgateway.dev/v1alpha1', 'MCPAuthPolicy'],
      ['v1', 'Service'],
    ),
    fc.oneof(junk, fc.constant({ name: 'z', namespace: 'a' }), fc.constant({ name: 'Not A Name', namespace: 'a' })),
    fc.oneof(
      junk,
      fc.record({ gatewayClassName: fc.constant('mcp'), listeners: fc.array(junk) }),
      fc.record({ targetRefs: fc.array(junk), rules: fc.array(junk) }),
      fc.record({ targetRefs: fc.constant([{ name: 'g' }]), rules: fc.array(junk) }),
      fc.record({ ports: fc.array(junk) }),
    ),
  )
  .map(([[apiVersion, kind], metadata, spec]) => ({ apiVersion, kind, metadata, spec }));

function* placesOf(value: unknown, path: Path): Generator<{ readonly path: Path; readonly value: unknown }> {
  yield { path, value };
  if (Array.isArray(value)) for (const [at, part] of value.entries()) yield* placesOf(part, [...path, at]);
  else if (isMapping(value)) for (const [key, part] of Object.entries(value)) yield* placesOf(part, [...path, key]);
}

function changed(value: unknown, path: Path, change: Spoiling): unknown {
  const [step, ...rest] = path;
  if (step === undefined) return change(value);
  if (Array.isArray(value)) {
    const parts: readonly unknown[] = value;
    return parts.map((part, at) => (at === step ? changed(part, rest, change) : part));
  }
  return isMapping(value) ? { ...value, [step]: changed(value[step], rest, change) } : value;
}

function isMapping(value: unknown): value is Mapping {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
