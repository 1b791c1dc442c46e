import { describe, expect, it } from 'vitest';
import { createGraph } from '../../src/graph/graph.ts';
import type { Context, Graph, Source } from '../../src/graph/model.ts';

interface Row {
  readonly name: string;
  readonly size: number;
  readonly bookkeeping: number;
}

function rowsOf(graph: Graph): readonly Row[] {
  return graph.dump().map(({ name, size, bookkeeping }) => ({ name, size, bookkeeping }));
}

interface Fixture {
  readonly graph: Graph;
  readonly things: Source<number>;
}

/** All at once: reads of present and absent keys, of index values and of whole collections; conflicts; failures. */
function createFixture(): Fixture {
  const graph = createGraph();
  const things = graph.source<number>({ name: 'things' });
  const index = graph.index(things, (value) => [`${value % 3}`, `${value % 5}`], { name: 'index' });
  const values = graph.indexValues(index, { name: 'index-values' });
  const read = (value: number, context: Context): number => {
    context.get(things, `${value + 1}`);
    context.get(things, `absent-${value}`);
    if (value % 4 === 0) throw new Error('No multiples of four.');
    return context.by(index, `${value % 7}`).length;
  };
  const reads = graph.derive(things, read, { name: 'reads' });
  graph.deriveMany(
    things,
    (value, context): [string, number][] => [[`${value % 6}`, context.get(reads, `${value}`) ?? 0]],
    { name: 'conflicts' },
  );
  graph.derive(values, (value, context) => context.all(reads).length + context.by(index, value).length, {
    name: 'totals',
  });
  return { graph, things };
}

describe('the bookkeeping', () => {
  it('has the same entries as before after objects were added and removed, and none in an empty graph', () => {
    const { graph, things } = createFixture();
    graph.commit(() => things.set('0', 1));
    const before = rowsOf(graph);
    for (let round = 0; round < 20; round += 1) {
      graph.commit(() => {
        for (let at = 1; at < 50; at += 1) things.set(`${at}`, round + at);
      });
      expect(rowsOf(graph)).not.toEqual(before);
      for (let at = 1; at < 50; at += 1) graph.commit(() => things.delete(`${at}`));
      expect(rowsOf(graph)).toEqual(before);
    }
    graph.commit(() => things.delete('0'));
    for (const { name, size, bookkeeping } of rowsOf(graph)) expect([name, size, bookkeeping]).toEqual([name, 0, 0]);
  });
});
