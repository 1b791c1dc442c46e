import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createGraph } from '../../src/graph/graph.ts';
import type { Derived, Graph, Source } from '../../src/graph/model.ts';

type Pair = readonly [key: string, value: string];

interface Fixture {
  readonly graph: Graph;
  /** Input key → the outputs that its run produces. */
  readonly inputs: Source<readonly Pair[]>;
  readonly outputs: Derived<string>;
  contents(): Readonly<Record<string, string>>;
  failing(): readonly string[];
}

function createFixture(): Fixture {
  const graph = createGraph();
  const inputs = graph.source<readonly Pair[]>({ name: 'inputs' });
  const outputs = graph.deriveMany(inputs, (pairs) => pairs, { name: 'outputs' });
  return {
    graph,
    inputs,
    outputs,
    contents: () => Object.fromEntries(outputs.entries()),
    failing: () => [...outputs.failures.entries()].map(([key]) => key).toSorted(),
  };
}

describe('deriveMany', () => {
  it('replaces the outputs of an input key by those of its next run', () => {
    const { graph, inputs, outputs, contents } = createFixture();
    graph.commit(() =>
      inputs.set('a', [
        ['x', '1'],
        ['y', '1'],
      ]),
    );
    const commit = graph.commit(() =>
      inputs.set('a', [
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

  it('moves an output key from one input to another within a commit', () => {
    const { graph, inputs, outputs, contents, failing } = createFixture();
    graph.commit(() => inputs.set('a', [['x', '1']]));
    const commit = graph.commit(() => {
      inputs.set('b', [['x', '2']]);
      inputs.set('a', []);
    });
    expect(contents()).toEqual({ x: '2' });
    expect(commit.changes(outputs)).toEqual([{ key: 'x', before: '1', after: '2' }]);
    expect(failing()).toEqual([]);
  });
});

describe('an output key of several inputs', () => {
  it('has no output, and is a failure of every owner', () => {
    const { graph, inputs, outputs, contents, failing } = createFixture();
    graph.commit(() =>
      inputs.set('a', [
        ['x', '1'],
        ['y', '1'],
      ]),
    );
    const commit = graph.commit(() =>
      inputs.set('b', [
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

  it('gets its output back without a run when one owner is left', () => {
    const { graph, inputs, contents, failing } = createFixture();
    graph.commit(() => {
      for (const key of ['a', 'b', 'c']) inputs.set(key, [['x', key]]);
    });
    graph.commit(() => inputs.delete('c'));
    expect([contents(), failing()]).toEqual([{}, ['a', 'b']]);
    expect(graph.commit(() => inputs.delete('a')).runs).toBe(0);
    expect([contents(), failing()]).toEqual([{ x: 'b' }, []]);
  });

  it('stays a failure when an owner runs again and produces it again', () => {
    const { graph, inputs, failing } = createFixture();
    graph.commit(() => {
      inputs.set('a', [['x', '1']]);
      inputs.set('b', [['x', '1']]);
    });
    graph.commit(() => inputs.set('a', [['x', '2']]));
    expect(failing()).toEqual(['a', 'b']);
  });
});

describe('deriveMany, for unusual outputs', () => {
  it('names three of many owners in the failure', () => {
    const { graph, inputs, outputs } = createFixture();
    graph.commit(() => {
      for (let input = 0; input < 9; input += 1) inputs.set(`i${input}`, [['x', '']]);
    });
    expect(outputs.failures.get('i7')?.error.message).toContain('x (by i0, i1, i2 and 6 more).');
  });

  it('fails for an output key that one run yields twice or without a value', () => {
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

  it('records the reads of a generator that threw, and drops its outputs', () => {
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

  it('depends on the current inputs alone, not on their history', () => {
    const pairs = fc.uniqueArray(fc.tuple(fc.constantFrom('x', 'y', 'z'), fc.constantFrom('1', '2')), {
      selector: ([key]) => key,
    });
    const edits = fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c', 'd'), fc.option(pairs)), { maxLength: 30 });
    fc.assert(
      fc.property(edits, (history) => {
        const { graph, inputs, contents, failing } = createFixture();
        for (const [key, value] of history) {
          graph.commit(() => (value === null ? inputs.delete(key) : inputs.set(key, value)));
          const held = [...inputs.entries()];
          const ownersOf = (output: string): readonly string[] =>
            held.filter(([, list]) => list.some(([name]) => name === output)).map(([input]) => input);
          const conflicts = ['x', 'y', 'z'].filter((output) => ownersOf(output).length > 1);
          const expected = held.flatMap(([, list]) => list.filter(([name]) => !conflicts.includes(name)));
          expect(contents()).toEqual(Object.fromEntries(expected));
          expect(failing()).toEqual([...new Set(conflicts.flatMap(ownersOf))].toSorted());
        }
      }),
      { numRuns: 200 },
    );
  });
});
