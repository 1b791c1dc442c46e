import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createGraph } from '../../src/graph/graph.ts';
import type { Derived, Graph, Source } from '../../src/graph/model.ts';

type Pair = readonly [key: string, value: string];

interface Claiming {
  readonly graph: Graph;
  readonly claims: Source<readonly Pair[]>;
  readonly outputs: Derived<string>;
  contents(): Readonly<Record<string, string>>;
  failing(): readonly string[];
}

function createClaiming(): Claiming {
  const graph = createGraph();
  const claims = graph.source<readonly Pair[]>({ name: 'claims' });
  const outputs = graph.deriveMany(claims, (pairs) => pairs, { name: 'outputs' });
  return {
    graph,
    claims,
    outputs,
    contents: () => Object.fromEntries(outputs.entries()),
    failing: () => [...outputs.failures.entries()].map(([key]) => key).toSorted(),
  };
}

describe('deriveMany', () => {
  it('replaces the outputs of an input key by those of its next run', () => {
    const { graph, claims, outputs, contents } = createClaiming();
    graph.commit(() =>
      claims.set('a', [
        ['x', '1'],
        ['y', '1'],
      ]),
    );
    const commit = graph.commit(() =>
      claims.set('a', [
        ['y', '1'],
        ['z', '1'],
      ]),
    );
    expect(contents()).toEqual({ y: '1', z: '1' });
    expect(commit.changes(outputs)).toEqual([
      { key: 'x', before: '1', after: undefined },
      { key: 'z', before: undefined, after: '1' },
    ]);
  });

  it('lets an output key pass from one input to another within a commit', () => {
    const { graph, claims, outputs, contents, failing } = createClaiming();
    graph.commit(() => claims.set('a', [['x', '1']]));
    const commit = graph.commit(() => {
      claims.set('b', [['x', '2']]);
      claims.set('a', []);
    });
    expect(contents()).toEqual({ x: '2' });
    expect(commit.changes(outputs)).toEqual([{ key: 'x', before: '1', after: '2' }]);
    expect(failing()).toEqual([]);
  });
});

describe('a contested key', () => {
  it('goes to nobody, and tells every claimant', () => {
    const { graph, claims, outputs, contents, failing } = createClaiming();
    graph.commit(() =>
      claims.set('a', [
        ['x', '1'],
        ['y', '1'],
      ]),
    );
    const commit = graph.commit(() =>
      claims.set('b', [
        ['x', '1'],
        ['z', '2'],
      ]),
    );
    expect(contents()).toEqual({ y: '1', z: '2' });
    expect(failing()).toEqual(['a', 'b']);
    expect(commit.failures.map(({ key }) => key).toSorted()).toEqual(['a', 'b']);
    expect(outputs.failures.get('a')?.error.message).toBe(
      'Output keys claimed by several inputs, hence without output: x (by a, b).',
    );
  });

  it('returns when one claimant is left, without a run', () => {
    const { graph, claims, contents, failing } = createClaiming();
    graph.commit(() => {
      for (const key of ['a', 'b', 'c']) claims.set(key, [['x', key]]);
    });
    graph.commit(() => claims.delete('c'));
    expect([contents(), failing()]).toEqual([{}, ['a', 'b']]);
    expect(graph.commit(() => claims.delete('a')).runs).toBe(0);
    expect([contents(), failing()]).toEqual([{ x: 'b' }, []]);
  });

  it('keeps a claimant failing that runs again and insists', () => {
    const { graph, claims, failing } = createClaiming();
    graph.commit(() => {
      claims.set('a', [['x', '1']]);
      claims.set('b', [['x', '1']]);
    });
    graph.commit(() => claims.set('a', [['x', '2']]));
    expect(failing()).toEqual(['a', 'b']);
  });
});

describe('deriveMany, at its limits', () => {
  it('names a few of many claimants', () => {
    const { graph, claims, outputs } = createClaiming();
    graph.commit(() => {
      for (let input = 0; input < 9; input += 1) claims.set(`i${input}`, [['x', '']]);
    });
    expect(outputs.failures.get('i7')?.error.message).toContain('x (by i0, i1, i2 and 6 more).');
  });

  it('fails for an output key that comes twice from one input, or without a value', () => {
    const graph = createGraph();
    const source = graph.source<readonly (readonly [string, string | undefined])[]>({ name: 'source' });
    const many = graph.deriveMany(source, (pairs) => pairs, { name: 'many' });
    graph.commit(() => {
      source.set('a', [
        ['x', '1'],
        ['x', '1'],
      ]);
      source.set('b', [['y', undefined]]);
    });
    expect(many.size).toBe(0);
    expect(many.failures.get('a')?.error.message).toContain('"x" came twice from one input');
    expect(many.failures.get('b')?.error.message).toContain('"y" came without a value');
  });

  it('records what a generator read before it threw, and takes none of its outputs', () => {
    const graph = createGraph();
    const stock = graph.source<string>({ name: 'stock' });
    const orders = graph.source<readonly string[]>({ name: 'orders' });
    const served = graph.deriveMany(
      orders,
      function* (items, context): Iterable<Pair> {
        for (const item of items) {
          const found = context.get(stock, item);
          if (found === undefined) throw new Error(`No ${item}.`);
          yield [item, found];
        }
      },
      { name: 'served' },
    );
    graph.commit(() => {
      stock.set('tea', 'green');
      orders.set('1', ['tea', 'milk']);
    });
    expect(served.size).toBe(0);
    expect(graph.commit(() => stock.set('milk', 'oat')).runs).toBe(1);
    expect([...served.entries()]).toEqual([
      ['tea', 'green'],
      ['milk', 'oat'],
    ]);
  });

  it('depends on the claims alone, whatever their history', () => {
    const pairs = fc.uniqueArray(fc.tuple(fc.constantFrom('x', 'y', 'z'), fc.constantFrom('1', '2')), {
      selector: ([key]) => key,
    });
    const edits = fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c', 'd'), fc.option(pairs)), { maxLength: 30 });
    fc.assert(
      fc.property(edits, (history) => {
        const { graph, claims, contents, failing } = createClaiming();
        for (const [key, value] of history) {
          graph.commit(() => (value === null ? claims.delete(key) : claims.set(key, value)));
          const held = [...claims.entries()];
          const claimantsOf = (output: string): readonly string[] =>
            held.filter(([, list]) => list.some(([name]) => name === output)).map(([input]) => input);
          const contested = ['x', 'y', 'z'].filter((output) => claimantsOf(output).length > 1);
          const expected = held.flatMap(([, list]) => list.filter(([name]) => !contested.includes(name)));
          expect(contents()).toEqual(Object.fromEntries(expected));
          expect(failing()).toEqual([...new Set(contested.flatMap(claimantsOf))].toSorted());
        }
      }),
      { numRuns: 200 },
    );
  });
});
