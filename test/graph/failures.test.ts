import { describe, expect, it } from 'vitest';
import { createGraph } from '../../src/graph/graph.ts';

/** Refuses odd numbers; throws, as the language allows, anything. */
function requireEven(value: number): number {
  if (value % 2 === 1) throw new Error(`${value} is odd.`);
  return value;
}

describe('a transformation that throws', () => {
  it('degrades its own key alone', () => {
    const graph = createGraph();
    const source = graph.source<number>({ name: 'source' });
    const even = graph.derive(source, requireEven, { name: 'even' });
    const commit = graph.commit(() => {
      for (const value of [1, 2, 3, 4]) source.set(`${value}`, value);
    });
    expect([...even.entries()].map(([key]) => key)).toEqual(['2', '4']);
    expect(commit.failures.map(({ key, error }) => [key, error.message])).toEqual([
      ['1', '1 is odd.'],
      ['3', '3 is odd.'],
    ]);
    expect(commit.runs).toBe(4);
  });

  it('takes the output away that the key had: keeping it could keep what was just narrowed', () => {
    const graph = createGraph();
    const source = graph.source<number>({ name: 'source' });
    const even = graph.derive(source, requireEven, { name: 'even' });
    graph.commit(() => source.set('a', 2));
    const commit = graph.commit(() => source.set('a', 3));
    expect(commit.changes(even)).toEqual([{ key: 'a', before: 2, after: undefined }]);
  });

  it('shows in a collection that later transformations can read, and that says when it heals', () => {
    const graph = createGraph();
    const source = graph.source<number>({ name: 'source' });
    const even = graph.derive(source, requireEven, { name: 'even' });
    const report = graph.derive(source, (_, context, key) => context.get(even.failures, key)?.error.message ?? 'fine', {
      name: 'report',
    });
    const broken = graph.commit(() => source.set('a', 1));
    expect(report.get('a')).toBe('1 is odd.');
    expect(broken.changes(even.failures)).toHaveLength(1);
    const same = graph.commit(() => source.set('a', 1));
    expect(same.changes(even.failures)).toEqual([]);
    const healed = graph.commit(() => source.set('a', 2));
    expect(report.get('a')).toBe('fine');
    expect(healed.changes(even.failures)).toMatchObject([{ key: 'a', after: undefined }]);
  });
});

describe('a failure', () => {
  it('changes nothing by coming again, though it is reported again', () => {
    const graph = createGraph();
    const source = graph.source<{ readonly version: number }>({ name: 'source' });
    const refuse = (): never => {
      throw new Error('Never.');
    };
    const derived = graph.derive(source, refuse, { name: 'derived' });
    graph.commit(() => source.set('a', { version: 1 }));
    const commit = graph.commit(() => source.set('a', { version: 2 }));
    expect(commit.changes(derived.failures)).toEqual([]);
    expect(commit.failures).toHaveLength(1);
  });

  it('is forgotten with its input', () => {
    const graph = createGraph();
    const source = graph.source<number>({ name: 'source' });
    const even = graph.derive(source, requireEven, { name: 'even' });
    graph.commit(() => source.set('a', 1));
    graph.commit(() => source.delete('a'));
    expect(even.failures.size).toBe(0);
  });

  it.each([
    ['a string', 'out of order', 'out of order'],
    ['nothing', undefined, 'A value of type undefined was thrown, not an Error.'],
    ['an object without a prototype', Object.create(null), 'A value of type object was thrown, not an Error.'],
  ])('is understood when it throws %s', (_, thrown: unknown, message) => {
    const graph = createGraph();
    const source = graph.source<number>({ name: 'source' });
    const derived = graph.derive(
      source,
      () => {
        throw thrown;
      },
      { name: 'derived' },
    );
    graph.commit(() => source.set('a', 1));
    expect(derived.failures.get('a')?.error.message).toBe(message);
  });
});
