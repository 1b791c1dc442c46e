import { describe, expect, it } from 'vitest';
import { createGraph } from '../../src/graph/graph.ts';
import type { Derived, Graph, Source } from '../../src/graph/model.ts';

/** Throws for odd numbers. */
function requireEven(value: number): number {
  if (value % 2 === 1) throw new Error(`${value} is odd.`);
  return value;
}

interface Fixture {
  readonly graph: Graph;
  readonly source: Source<number>;
  readonly even: Derived<number>;
}

function createFixture(): Fixture {
  const graph = createGraph();
  const source = graph.source<number>({ name: 'source' });
  return { graph, source, even: graph.derive(source, requireEven, { name: 'even' }) };
}

describe('a transformation that throws', () => {
  it('leaves the outputs of other keys alone', () => {
    const { graph, source, even } = createFixture();
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

  it('removes the output of the key, which could be a grant that was just narrowed', () => {
    const { graph, source, even } = createFixture();
    graph.commit(() => source.set('a', 2));
    const commit = graph.commit(() => source.set('a', 3));
    expect(commit.changes(even)).toEqual([{ key: 'a', before: 2, after: undefined }]);
  });

  it('is in the collection of failures, which transformations can read, until a run succeeds', () => {
    const { graph, source, even } = createFixture();
    const report = graph.derive(source, (_, context, key) => context.get(even.failures, key)?.error.message ?? 'fine', {
      name: 'report',
    });
    const broken = graph.commit(() => source.set('a', 1));
    expect(report.get('a')).toBe('1 is odd.');
    expect(broken.changes(even.failures)).toHaveLength(1);
    const same = graph.commit(() => source.set('a', 1));
    expect(same.changes(even.failures)).toEqual([]);
    const fixed = graph.commit(() => source.set('a', 2));
    expect(report.get('a')).toBe('fine');
    expect(fixed.changes(even.failures)).toMatchObject([{ key: 'a', after: undefined }]);
  });
});

describe('a failure', () => {
  it('changes nothing when it occurs again, and is reported again', () => {
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

  it('is removed with its input', () => {
    const { graph, source, even } = createFixture();
    graph.commit(() => source.set('a', 1));
    graph.commit(() => source.delete('a'));
    expect(even.failures.size).toBe(0);
  });

  it.each([
    ['a string', 'out of order', 'out of order'],
    ['nothing', undefined, 'A value of type undefined was thrown, not an Error.'],
    ['an object without a prototype', Object.create(null), 'A value of type object was thrown, not an Error.'],
  ])('becomes an Error when the transformation throws %s', (_, thrown: unknown, message) => {
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
