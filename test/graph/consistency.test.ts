import { describe, expect, it } from 'vitest';
import { createGraph } from '../../src/graph/graph.ts';

describe('within a commit', () => {
  it('both sides of a diamond have the same epoch, and the tip runs once', () => {
    const graph = createGraph();
    const source = graph.source<number>({ name: 'source' });
    const left = graph.derive(source, (value) => value + 1, { name: 'left' });
    const right = graph.derive(source, (value) => value * 10, { name: 'right' });
    const seen: (readonly [left: number, right: number | undefined])[] = [];
    const tip = graph.derive(
      left,
      (value, context, key) => {
        seen.push([value, context.get(right, key)]);
        return seen.at(-1);
      },
      { name: 'tip' },
    );
    for (const value of [1, 2, 3]) graph.commit(() => source.set('a', value));
    expect(seen).toEqual([
      [2, 10],
      [3, 20],
      [4, 30],
    ]);
    expect(tip.get('a')).toEqual([4, 30]);
  });

  it('a long and a short path to the same reader lead to one run', () => {
    const graph = createGraph();
    const source = graph.source<number>({ name: 'source' });
    let last = graph.derive(source, (value) => value + 1, { name: 'step-1' });
    for (let step = 2; step <= 20; step += 1) {
      last = graph.derive(last, (value) => value + 1, { name: `step-${step}` });
    }
    const end = last;
    const sums = graph.derive(source, (value, context, key) => value + (context.get(end, key) ?? 0), { name: 'sums' });
    expect(graph.commit(() => source.set('a', 1)).runs).toBe(21);
    expect(sums.get('a')).toBe(22);
    expect(graph.commit(() => source.set('a', 5)).runs).toBe(21);
    expect(sums.get('a')).toBe(30);
  });

  it('an index, its values and its collection agree', () => {
    const graph = createGraph({ check: true });
    const source = graph.source<string>({ name: 'source' });
    const words = graph.derive(source, (value) => value, { name: 'words' });
    const index = graph.index(words, (value) => [value], { name: 'by-word' });
    const values = graph.indexValues(index, { name: 'index-values' });
    const disagreements: string[] = [];
    graph.derive(
      source,
      (value, context, key) => {
        const held = context.get(words, key);
        const members = context.by(index, value);
        if (held !== value || !members.includes(value) || context.get(values, value) !== value) disagreements.push(key);
      },
      { name: 'comparison' },
    );
    for (const value of ['x', 'y', 'x', 'z']) {
      graph.commit(() => {
        source.set('a', value);
        source.set('b', `${value}${value}`);
      });
    }
    expect(disagreements).toEqual([]);
    expect(values.size).toBe(2);
  });
});
