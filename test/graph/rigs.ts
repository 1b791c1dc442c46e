import { createGraph } from '../../src/graph/graph.ts';
import type { Collection, Failure, Graph, Source } from '../../src/graph/model.ts';

/**
 * One sort of collection behind one set of verbs, so that every sort is held to the same promises. A version stands for
 * a value; two versions of one key are different values.
 */
export interface Rig {
  readonly graph: Graph;
  readonly collection: Collection<unknown>;
  /** Within a commit: makes the collection hold this version under the key. */
  put(key: string, version: number): void;
  /** Within a commit: makes the collection hold nothing under the key. */
  remove(key: string): void;
  /** What the collection should hold. */
  value(key: string, version: number): unknown;
}

export interface RigKind {
  readonly kind: string;
  /** False when a key has one value only. */
  readonly replaceable: boolean;
  create(): Rig;
}

/** A rig over one source of versions, from which the collection is made. */
function over(
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

/** The key set never changes here: outputs come and go with what a run reads. */
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

function byMember(graph: Graph, versions: Source<number>): Collection<unknown> {
  const index = graph.index(versions, (_, key) => [key], { name: 'by-key' });
  const groups = graph.indexValues(index, { name: 'groups' });
  const first = (key: string, members: readonly number[]): unknown => members.map((version) => ({ key, version }))[0];
  return graph.derive(groups, (key, context) => first(key, context.by(index, key)), { name: 'members' });
}

export const rigKinds: readonly RigKind[] = [
  { kind: 'a source', replaceable: true, create: createSourceRig },
  {
    kind: 'derive',
    replaceable: true,
    create: () => over((graph, input) => graph.derive(input, (version) => ({ version }), { name: 'derived' })),
  },
  {
    kind: 'derive over derive',
    replaceable: true,
    create: () =>
      over((graph, input) => {
        const first = graph.derive(input, (version) => version + 1, { name: 'first' });
        return graph.derive(first, (version) => ({ version: version - 1 }), { name: 'second' });
      }),
  },
  { kind: 'derive by reading', replaceable: true, create: createReadingRig },
  {
    kind: 'deriveMany',
    replaceable: true,
    create: () =>
      over((graph, input) =>
        graph.deriveMany(input, (version, _, key): [string, unknown][] => [[key, { version }]], { name: 'many' }),
      ),
  },
  {
    kind: 'deriveMany under other keys',
    replaceable: true,
    create: () =>
      over((graph, input) => {
        const yields = (version: number, key: string): [string, unknown][] => [
          [key.slice(1), { version }],
          [`twin-of-${key.slice(1)}`, key],
        ];
        const renamed = graph.derive(input, (version) => version, { name: 'same' });
        const prefixed = graph.deriveMany(renamed, (version, _, key): [string, number][] => [[`_${key}`, version]], {
          name: 'prefixed',
        });
        const many = graph.deriveMany(prefixed, (version, _, key) => yields(version, key), { name: 'many' });
        return graph.derive(many, (value) => (typeof value === 'string' ? undefined : value), {
          name: 'without-twins',
        });
      }),
  },
  {
    kind: 'groups',
    replaceable: false,
    create: () =>
      over(
        (graph, input) =>
          graph.indexValues(
            graph.index(input, (_, key) => [key], { name: 'by-key' }),
            { name: 'groups' },
          ),
        (key) => key,
      ),
  },
  {
    kind: 'the members of groups',
    replaceable: true,
    create: () => over(byMember, (key, version) => ({ key, version })),
  },
  {
    kind: 'the failures of derive',
    replaceable: true,
    create: () =>
      over(
        (graph, input) => graph.derive(input, refuse, { name: 'failing' }).failures,
        (key, version) => failureOf('failing', key, version),
      ),
  },
  {
    kind: 'the failures of an index',
    replaceable: true,
    create: () =>
      over(
        (graph, input) => graph.index(input, refuse, { name: 'failing' }).failures,
        (key, version) => failureOf('failing', key, version),
      ),
  },
];
