import { describe, expect, it } from 'vitest';
import { createGraph } from '../../src/graph/graph.ts';
import type { Context, Graph, Source } from '../../src/graph/model.ts';

interface Checked {
  readonly graph: Graph;
  readonly source: Source<Value>;
}

interface Value {
  readonly list: readonly number[];
}

function createChecked(check = true): Checked {
  const graph = createGraph({ check });
  return { graph, source: graph.source<Value>({ name: 'source' }) };
}

describe('a checked graph', () => {
  it('rejects a transformation that returns another result each time, and keeps the first', () => {
    const { graph, source } = createChecked();
    let calls = 0;
    const derived = graph.derive(source, () => ({ calls: ++calls }), { name: 'counting' });
    const commit = (): unknown => graph.commit(() => source.set('a', { list: [] }));
    expect(commit).toThrow(
      'The transformation of "counting" is impure for key "a": two runs returned different results.',
    );
    expect(derived.get('a')).toEqual({ calls: 1 });
  });

  const impure: readonly (readonly [
    name: string,
    transform: (call: number, context: Context, source: Source<Value>) => unknown,
  ])[] = [
    ['two runs returned different results', (call) => (call % 2 === 0 ? undefined : 1)],
    ['two runs read different things', (call, context, source) => void context.get(source, `${call}`)],
    ['two runs read different things', (call, context, source) => void (call % 2 === 0 && context.all(source))],
    ['of two runs one threw', (call) => throwIf(call % 2 === 0, '')],
    ['two runs threw different errors', (call) => throwIf(true, `${call}`)],
  ];

  it.each(impure)('names the difference: %s', (message, transform) => {
    const { graph, source } = createChecked();
    let calls = 0;
    graph.derive(source, (_, context) => transform(++calls, context, source), { name: 'derived' });
    expect(() => graph.commit(() => source.set('a', { list: [] }))).toThrow(message);
  });

  it('rejects an impure deriveMany and an impure index function', () => {
    const { graph, source } = createChecked();
    let calls = 0;
    graph.deriveMany(source, (): [string, number][] => [[`${++calls}`, 1]], { name: 'many' });
    expect(() => graph.commit(() => source.set('a', { list: [] }))).toThrow('"many" is impure for key "a"');
    const other = createChecked();
    other.graph.index(other.source, () => [`${++calls}`], { name: 'index' });
    expect(() => other.graph.commit(() => other.source.set('b', { list: [] }))).toThrow(
      '"index" is impure for key "b"',
    );
  });
});

describe('the check', () => {
  it('does not count the second run', () => {
    const { graph, source } = createChecked();
    let calls = 0;
    const count = (): void => {
      calls += 1;
    };
    graph.derive(source, count, { name: 'derived' });
    expect(graph.commit(() => source.set('a', { list: [] })).runs).toBe(1);
    expect(calls).toBe(2);
  });

  it('records no dependencies of the second run', () => {
    const { graph, source } = createChecked();
    let calls = 0;
    graph.derive(source, (_, context) => void context.get(source, `${++calls}`), { name: 'derived' });
    expect(() => graph.commit(() => source.set('a', { list: [] }))).toThrow('two runs read different things');
    graph.commit(() => source.delete('a'));
    for (const { name, bookkeeping } of graph.dump()) expect([name, bookkeeping]).toEqual([name, 0]);
  });

  it('leaves the graph consistent for the next commit', () => {
    const { graph, source } = createChecked();
    let calls = 0;
    graph.derive(source, () => ++calls, { name: 'counting' });
    const lists = graph.derive(source, ({ list }) => list, { name: 'lists' });
    expect(() => graph.commit(() => source.set('a', { list: [1] }))).toThrow('impure');
    expect(graph.epoch).toBe(1);
    expect(lists.get('a')).toEqual([1]);
    graph.commit(() => source.delete('a'));
    expect(lists.size).toBe(0);
  });
});

describe('the values of a checked graph', () => {
  it('are immutable: sources and outputs, including Maps and Sets in them', () => {
    const { graph, source } = createChecked();
    const list = [1];
    const map = new Map([['key', { deep: new Set([1]) }]]);
    graph.derive(source, () => map, { name: 'maps' });
    graph.commit(() => source.set('a', { list }));
    expect(() => list.push(2)).toThrow(TypeError);
    expect(() => map.set('other', { deep: new Set() })).toThrow('Values of a graph are immutable');
    expect(() => map.get('key')?.deep.add(2)).toThrow('Values of a graph are immutable');
    expect([...map.keys()]).toEqual(['key']);
  });

  it('may be frozen, bytes or cyclic', () => {
    const graph = createGraph({ check: true });
    const source = graph.source<unknown>({ name: 'source' });
    const cyclic: { self?: unknown } = {};
    cyclic.self = cyclic;
    const values = [cyclic, new Uint8Array([1]), Object.freeze({ inner: [1] }), Object.freeze(new Map()), null];
    graph.commit(() => {
      for (const [at, value] of values.entries()) source.set(`${at}`, value);
    });
    expect([...source.entries()].map(([, value]) => value)).toEqual(values);
    expect(cyclic).toSatisfy(Object.isFrozen);
  });

  it('survive a transformation that changes its input', () => {
    const graph = createGraph({ check: true });
    const source = graph.source<number[]>({ name: 'source' });
    const derived = graph.derive(source, (list) => list.sort(), { name: 'sorting' });
    graph.commit(() => source.set('a', [2, 1]));
    expect(derived.failures.get('a')?.error).toBeInstanceOf(TypeError);
    expect(source.get('a')).toEqual([2, 1]);
  });
});

describe('an unchecked graph', () => {
  it('runs transformations once, and freezes nothing', () => {
    const { graph, source } = createChecked(false);
    let calls = 0;
    const list = [1];
    graph.derive(source, () => ++calls, { name: 'derived' });
    graph.commit(() => source.set('a', { list }));
    expect(calls).toBe(1);
    expect(Object.isFrozen(list)).toBe(false);
  });
});

function throwIf(condition: boolean, message: string): void {
  if (condition) throw new Error(message);
}
