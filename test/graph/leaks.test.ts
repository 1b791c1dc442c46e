import { describe, expect, it } from 'vitest';
import { createGraph } from '../../src/graph/graph.ts';
import type { Context, Graph, Source } from '../../src/graph/model.ts';
import { rigKinds } from './rigs.ts';

interface Books {
  readonly name: string;
  readonly size: number;
  readonly bookkeeping: number;
}

function booksOf(graph: Graph): readonly Books[] {
  return graph.dump().map(({ name, size, bookkeeping }) => ({ name, size, bookkeeping }));
}

interface Things {
  readonly graph: Graph;
  readonly things: Source<number>;
}

/** Everything at once: reads of present and absent keys, of groups, of everything; contested keys; failures. */
function createThings(): Things {
  const graph = createGraph();
  const things = graph.source<number>({ name: 'things' });
  const index = graph.index(things, (value) => [`${value % 3}`, `${value % 5}`], { name: 'index' });
  const groups = graph.indexValues(index, { name: 'groups' });
  const look = (value: number, context: Context): number => {
    context.get(things, `${value + 1}`);
    context.get(things, `absent-${value}`);
    if (value % 4 === 0) throw new Error('No multiples of four.');
    return context.by(index, `${value % 7}`).length;
  };
  const looks = graph.derive(things, look, { name: 'looks' });
  graph.deriveMany(
    things,
    (value, context): [string, number][] => [[`${value % 6}`, context.get(looks, `${value}`) ?? 0]],
    { name: 'contested' },
  );
  graph.derive(groups, (group, context) => context.all(looks).length + context.by(index, group).length, {
    name: 'totals',
  });
  return { graph, things };
}

describe('after objects have come and gone', () => {
  it('the books are as they were, to the last entry', () => {
    const { graph, things } = createThings();
    graph.commit(() => things.set('0', 1));
    const before = booksOf(graph);
    for (let round = 0; round < 20; round += 1) {
      graph.commit(() => {
        for (let at = 1; at < 50; at += 1) things.set(`${at}`, round + at);
      });
      expect(booksOf(graph)).not.toEqual(before);
      for (let at = 1; at < 50; at += 1) graph.commit(() => things.delete(`${at}`));
      expect(booksOf(graph)).toEqual(before);
    }
  });

  it('nothing at all is kept for an empty world', () => {
    const { graph, things } = createThings();
    graph.commit(() => {
      for (let at = 0; at < 50; at += 1) things.set(`${at}`, at);
    });
    graph.commit(() => {
      for (let at = 0; at < 50; at += 1) things.delete(`${at}`);
    });
    for (const { name, size, bookkeeping } of booksOf(graph)) expect([name, size, bookkeeping]).toEqual([name, 0, 0]);
  });

  it.each(rigKinds)('no reader is left behind by $kind', ({ create }) => {
    const rig = create();
    const readers = rig.graph.source<number>({ name: 'readers' });
    rig.graph.derive(readers, (_, context, key) => [context.get(rig.collection, key), context.all(rig.collection)], {
      name: 'reads',
    });
    const churn = (): readonly Books[] => {
      for (let at = 0; at < 50; at += 1) {
        rig.graph.commit(() => {
          readers.set(`${at}`, at);
          if (at % 2 === 0) rig.put(`${at}`, at);
        });
      }
      for (let at = 0; at < 50; at += 1) {
        rig.graph.commit(() => {
          readers.delete(`${at}`);
          rig.remove(`${at}`);
        });
      }
      return booksOf(rig.graph);
    };
    const first = churn();
    expect(first.find(({ name }) => name === 'reads')).toEqual({ name: 'reads', size: 0, bookkeeping: 0 });
    expect(churn()).toEqual(first);
  });
});
