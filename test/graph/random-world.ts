import fc from 'fast-check';
import { createGraph } from '../../src/graph/graph.ts';
import type { Collection, Commit, Context, Graph, Index, Source } from '../../src/graph/model.ts';

/** One read of a transformation. Numbers select among the existing collections or keys, modulo their count. */
interface ReadPlan {
  readonly how: 'get' | 'by' | 'all';
  readonly from: number;
  readonly key: number;
}

/** One derived collection or index, created over an existing one. */
interface PartPlan {
  readonly kind: 'derive' | 'deriveMany' | 'indexValues';
  readonly over: number;
  readonly salt: number;
  readonly reads: readonly ReadPlan[];
}

export type WorldPlan = readonly PartPlan[];

/** Sets a key of one of the two sources; a null value deletes it. */
export interface Edit {
  readonly source: number;
  readonly key: string;
  readonly value: number | null;
}

const few = fc.nat({ max: 50 });
const read = fc.record<ReadPlan>({ how: fc.constantFrom('get', 'get', 'by', 'all'), from: few, key: few });
const part = fc.record<PartPlan>({
  kind: fc.constantFrom('derive', 'deriveMany', 'indexValues'),
  over: few,
  salt: few,
  reads: fc.array(read, { maxLength: 3 }),
});

/** Two to seven parts over two sources. */
export const worldPlans: fc.Arbitrary<WorldPlan> = fc.array(part, { minLength: 2, maxLength: 7 });

export const edits: fc.Arbitrary<readonly Edit[]> = fc.array(
  fc.record<Edit>({
    source: fc.nat({ max: 1 }),
    key: fc.constantFrom(...keys()),
    value: fc.option(fc.nat({ max: 9 }), { freq: 4 }),
  }),
  { maxLength: 6 },
);

/** Few keys, so that transformations often read and produce the same ones. */
function keys(): readonly string[] {
  return ['k0', 'k1', 'k2', 'k3', 'k4'];
}

/** A graph created from a plan, with every collection that belongs to its state. */
export interface World {
  readonly graph: Graph;
  readonly collections: readonly Collection<unknown>[];
  commit(edits: readonly Edit[]): Commit;
}

/**
 * Creates a world. Transformations are pure but irregular: a hash of their input and reads decides whether they throw,
 * return nothing, or return which of a few values under which keys. With few values, changes often stop at equal ones.
 */
export function createWorld(plan: WorldPlan): World {
  const graph = createGraph({ check: true });
  const sources = [graph.source<number>({ name: 'source-0' }), graph.source<number>({ name: 'source-1' })];
  const makers = new Maker(graph, sources);
  for (const [at, part] of plan.entries()) makers.add(part, `part-${at}`);
  return { graph, collections: makers.collections, commit: (batch) => graph.commit(() => apply(sources, batch)) };
}

function apply(sources: readonly Source<number>[], batch: readonly Edit[]): void {
  for (const { source, key, value } of batch) {
    if (value === null) sources[source]?.delete(key);
    else sources[source]?.set(key, value);
  }
}

class Maker {
  readonly collections: Collection<unknown>[];
  readonly #indexes: Index<unknown>[];
  readonly #graph: Graph;

  constructor(graph: Graph, sources: readonly Collection<unknown>[]) {
    this.#graph = graph;
    this.collections = [...sources];
    this.#indexes = [];
    for (const source of sources) this.#addIndex(source, 1);
  }

  add(plan: PartPlan, name: string): void {
    if (plan.kind === 'indexValues') {
      const values = this.#graph.indexValues(pick(this.#indexes, plan.over), { name });
      this.collections.push(values);
      return;
    }
    const input = pick(this.collections, plan.over);
    const read = this.#createReads(plan);
    const derived =
      plan.kind === 'derive'
        ? this.#graph.derive(input, (value, context, key) => derive(read(value, context, key)), { name })
        : this.#graph.deriveMany(input, (value, context, key) => deriveMany(read(value, context, key)), { name });
    this.collections.push(derived, derived.failures);
    this.#addIndex(derived, plan.salt);
  }

  /** Creates a function that performs the planned reads and returns a hash of input and reads. */
  #createReads(plan: PartPlan): (value: unknown, context: Context, key: string) => number {
    const known = [...this.collections];
    const indexes = [...this.#indexes];
    return (value, context, key) => {
      let seen = hash([plan.salt, value, key]);
      for (const { how, from, key: number } of plan.reads) {
        // A read may depend on the reads before it.
        const wanted = number % 2 === 0 ? number : seen;
        if (how === 'get') seen = hash([seen, context.get(pick(known, from), pick(keys(), wanted)) ?? 'nothing']);
        if (how === 'by') seen = hash([seen, context.by(pick(indexes, from), `g${wanted % 4}`)]);
        if (how === 'all') seen = hash([seen, context.all(pick(known, from))]);
      }
      return seen;
    };
  }

  #addIndex(collection: Collection<unknown>, salt: number): void {
    const values = (value: unknown): readonly string[] => {
      const seen = hash([salt, value]);
      if (seen % 7 === 0) throw new Error(`No group for ${seen}.`);
      return seen % 5 === 0 ? [] : [`g${seen % 4}`, `g${seen % 3}`];
    };
    const index = this.#graph.index(collection, values, { name: `index-of-${collection.name}` });
    this.#indexes.push(index);
    this.collections.push(index.failures);
  }
}

function derive(seen: number): number | undefined {
  if (seen % 5 === 0) throw new Error(`Thrown at ${seen % 3}.`);
  return seen % 7 === 0 ? undefined : seen % 4;
}

function* deriveMany(seen: number): Iterable<readonly [key: string, value: number]> {
  yield [pick(keys(), seen), seen % 3];
  if (seen % 6 === 0) throw new Error(`Thrown at ${seen % 3}.`);
  if (seen % 2 === 0) yield [pick(keys(), seen + 1), seen % 4];
}

function pick<T>(from: readonly T[], number: number): T {
  const picked = from[number % from.length];
  if (picked === undefined) throw new Error('There is nothing to pick from.');
  return picked;
}

/** FNV-1a over the JSON of plain values, with an Error as its message. */
function hash(value: unknown): number {
  let state = 0x811c9dc5;
  for (const char of JSON.stringify(value, (_, part) => (part instanceof Error ? part.message : part))) {
    state = Math.imul(state ^ (char.codePointAt(0) ?? 0), 0x01000193);
  }
  return state >>> 0;
}
