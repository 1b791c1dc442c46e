import { createGraph } from '../../src/graph/graph.ts';
import type { Collection, Failure, Graph, Source } from '../../src/graph/model.ts';

/**
 * One kind of collection behind one interface, so that the conformance suite runs over every kind. A version stands for
 * a value; two versions of one key are different values.
 */
export interface Rig {
  readonly graph: Graph;
  readonly collection: Collection<unknown>;
  /** Sets a version under the key; call it within a commit. */
  put(key: string, version: number): void;
  /** Removes the key; call it within a commit. */
  remove(key: string): void;
  /** The value that the collection must have for a version. */
  value(key: string, version: number): unknown;
}

export interface RigKind {
  readonly kind: string;
  /** False if a key can have one value only. */
  readonly replaceable: boolean;
  create(): Rig;
}

/** Creates a rig whose collection is derived from one source of versions. */
function rigOver(
  make: (graph: Graph, versions: Source<number>) => Collection<unknown>,
  value: (key: string, version: number) => unknown = (_, version) => ({ version }),
): Rig {
  const graph = createGraph({ check: true });
  const versions = graph.source<number>({ name: 'versions' });
  return {
    graph,
    collection: make(graph, versions),
    put: (key, version) => versions.set(key, version),
    remove: (key) => versions.delete(key),
    value,
  };
}

function createSourceRig(): Rig {
  const graph = createGraph({ check: true });
  const source = graph.source<{ readonly version: number }>({ name: 'source' });
  return {
    graph,
    collection: source,
    put: (key, version) => source.set(key, { version }),
    remove: (key) => source.delete(key),
    value: (_, version) => ({ version }),
  };
}

/** Derives outputs from reads alone: the input keys stay, and an output depends on the value that its run reads. */
function createReadingRig(): Rig {
  const graph = createGraph({ check: true });
  const keys = graph.source<string>({ name: 'keys' });
  const versions = graph.source<number>({ name: 'versions' });
  const collection = graph.derive(
    keys,
    (_, context, key) => {
      const version = context.get(versions, key);
      return version === undefined ? undefined : { version };
    },
    { name: 'reading' },
  );
  const put = (key: string, version: number): void => {
    keys.set(key, key);
    versions.set(key, version);
  };
  return { graph, collection, put, remove: (key) => versions.delete(key), value: (_, version) => ({ version }) };
}

function failureOf(collection: string, key: string, version: number): Failure {
  return { collection, key, error: new Error(`version ${version}`) };
}

function refuse(version: number): never {
  throw new Error(`version ${version}`);
}

function membersByValue(graph: Graph, versions: Source<number>): Collection<unknown> {
  const index = graph.index(versions, (_, key) => [key], { name: 'by-key' });
  const values = graph.indexValues(index, { name: 'index-values' });
  const first = (key: string, members: readonly number[]): unknown => members.map((version) => ({ key, version }))[0];
  return graph.derive(values, (key, context) => first(key, context.by(index, key)), { name: 'members' });
}

export const rigKinds: readonly RigKind[] = [
  { kind: 'a source', replaceable: true, create: createSourceRig },
  {
    kind: 'derive',
    replaceable: true,
    create: () => rigOver((graph, input) => graph.derive(input, (version) => ({ version }), { name: 'derived' })),
  },
  {
    kind: 'derive over derive',
    replaceable: true,
    create: () =>
      rigOver((graph, input) => {
        const first = graph.derive(input, (version) => version + 1, { name: 'first' });
        return graph.derive(first, (version) => ({ version: version - 1 }), { name: 'second' });
      }),
  },
  { kind: 'derive by reading', replaceable: true, create: createReadingRig },
  {
    kind: 'deriveMany',
    replaceable: true,
    create: () =>
      rigOver((graph, input) =>
        graph.deriveMany(input, (version, _, key): [string, unknown][] => [[key, { version }]], { name: 'many' }),
      ),
  },
  {
    kind: 'deriveMany under other keys',
    replaceable: true,
    create: () =>
      rigOver((graph, input) => {
        const outputs = (version: number, key: string): [string, unknown][] => [
          [key.slice(1), { version }],
          [`twin-of-${key.slice(1)}`, key],
        ];
        const renamed = graph.derive(input, (version) => version, { name: 'same' });
        const prefixed = graph.deriveMany(renamed, (version, _, key): [string, number][] => [[`_${key}`, version]], {
          name: 'prefixed',
        });
        const many = graph.deriveMany(prefixed, (version, _, key) => outputs(version, key), { name: 'many' });
        return graph.derive(many, (value) => (typeof value === 'string' ? undefined : value), {
          name: 'without-twins',
        });
      }),
  },
  {
    kind: 'index values',
    replaceable: false,
    create: () =>
      rigOver(
        (graph, input) =>
          graph.indexValues(
            graph.index(input, (_, key) => [key], { name: 'by-key' }),
            { name: 'index-values' },
          ),
        (key) => key,
      ),
  },
  {
    kind: 'the members of index values',
    replaceable: true,
    create: () => rigOver(membersByValue, (key, version) => ({ key, version })),
  },
  {
    kind: 'the failures of derive',
    replaceable: true,
    create: () =>
      rigOver(
        (graph, input) => graph.derive(input, refuse, { name: 'failing' }).failures,
        (key, version) => failureOf('failing', key, version),
      ),
  },
  {
    kind: 'the failures of an index',
    replaceable: true,
    create: () =>
      rigOver(
        (graph, input) => graph.index(input, refuse, { name: 'failing' }).failures,
        (key, version) => failureOf('failing', key, version),
      ),
  },
];
