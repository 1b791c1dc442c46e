import { describe, expect, it } from 'vitest';
import { createGraph } from '../../src/graph/graph.ts';

describe('dump', () => {
  it('lists collections and indexes in the order of creation, with their inputs', () => {
    const graph = createGraph();
    const source = graph.source<string>({ name: 'words' });
    const index = graph.index(source, (word) => [word.charAt(0)], { name: 'words-by-letter' });
    const letters = graph.indexValues(index, { name: 'letters' });
    graph.derive(letters, (letter, context) => context.by(index, letter).length, { name: 'counts' });
    graph.commit(() => {
      for (const word of ['ape', 'ant', 'bee']) source.set(word, word);
    });
    expect(graph.dump().map(({ name, kind, size, inputs, runs }) => ({ name, kind, size, inputs, runs }))).toEqual([
      { name: 'words', kind: 'source', size: 3, inputs: [], runs: 0 },
      { name: 'words-by-letter', kind: 'index', size: 2, inputs: ['words'], runs: 3 },
      { name: 'words-by-letter.failures', kind: 'failures', size: 0, inputs: ['words-by-letter'], runs: 0 },
      { name: 'letters', kind: 'index-values', size: 2, inputs: ['words-by-letter'], runs: 0 },
      { name: 'counts', kind: 'derived', size: 2, inputs: ['letters'], runs: 2 },
      { name: 'counts.failures', kind: 'failures', size: 0, inputs: ['counts'], runs: 0 },
    ]);
  });

  it('lists the outputs and reads of each input key when called with keys', () => {
    const graph = createGraph();
    const source = graph.source<string>({ name: 'source' });
    const index = graph.index(source, (value) => [value], { name: 'index' });
    const many = graph.deriveMany(
      source,
      (value, context, key): [string, string][] => {
        context.get(source, 'missing "key"');
        context.by(index, value);
        context.all(source);
        return [
          [`${key}-1`, value],
          [`${key}-2`, value],
        ];
      },
      { name: 'many' },
    );
    graph.derive(many, () => undefined, { name: 'nothing' });
    graph.commit(() => source.set('__proto__', 'x'));
    const rows = new Map(graph.dump({ keys: true }).map((row) => [row.name, row.keys]));
    expect(Object.entries(rows.get('many') ?? {})).toEqual([
      [
        '__proto__',
        {
          outputs: ['__proto__-1', '__proto__-2'],
          reads: ['get source "missing \\"key\\""', 'by index "x"', 'all source'],
        },
      ],
    ]);
    expect(rows.get('nothing')).toEqual({
      '__proto__-1': { outputs: [], reads: [] },
      '__proto__-2': { outputs: [], reads: [] },
    });
    expect(rows.get('source')).toBeUndefined();
    expect(graph.dump().every(({ keys }) => keys === undefined)).toBe(true);
  });
});
