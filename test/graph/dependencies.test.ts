import { describe, expect, it } from 'vitest';
import { createGraph } from '../../src/graph/graph.ts';
import type { Context, Derived, Graph, Source } from '../../src/graph/model.ts';

/** A derived collection whose input values say what its transformation reads from one source of things. */
interface Fixture {
  readonly graph: Graph;
  readonly things: Source<string>;
  readonly readers: Source<string>;
  readonly derived: Derived<string>;
  /** The input keys that ran in the commit of these edits. */
  ran(apply: () => void): readonly string[];
}

function createFixture(
  transform: (input: string, context: Context, things: Source<string>) => string | undefined,
): Fixture {
  const graph = createGraph();
  const things = graph.source<string>({ name: 'things' });
  const readers = graph.source<string>({ name: 'readers' });
  const ran: string[] = [];
  const run = (input: string, context: Context, key: string): string | undefined => {
    ran.push(key);
    return transform(input, context, things);
  };
  const derived = graph.derive(readers, run, { name: 'derived' });
  return {
    graph,
    things,
    readers,
    derived,
    ran: (apply) => {
      ran.length = 0;
      const commit = graph.commit(apply);
      expect(commit.runs).toBe(ran.length);
      return ran.toSorted();
    },
  };
}

/** Follows a chain: each thing names the next one, until one does not exist. */
function follow(input: string, context: Context, things: Source<string>): string {
  const next = context.get(things, input);
  return next === undefined ? input : follow(next, context, things);
}

describe('the dependencies of a run', () => {
  it('make only the input keys run again that read the changed key', () => {
    const fixture = createFixture((input, context, things) => context.get(things, input));
    fixture.ran(() => {
      for (const key of ['a', 'b', 'c', 'd']) fixture.things.set(key, key);
      fixture.readers.set('1', 'a');
      fixture.readers.set('2', 'a');
      fixture.readers.set('3', 'b');
    });
    expect(fixture.ran(() => fixture.things.set('a', 'new'))).toEqual(['1', '2']);
    expect(fixture.ran(() => fixture.things.set('b', 'new'))).toEqual(['3']);
    expect(fixture.ran(() => fixture.things.set('c', 'new'))).toEqual([]);
    expect(fixture.ran(() => fixture.readers.set('3', 'd'))).toEqual(['3']);
  });

  it('replace those of the previous run', () => {
    const fixture = createFixture(follow);
    fixture.ran(() => {
      fixture.things.set('a', 'b');
      fixture.things.set('b', 'c');
      fixture.readers.set('1', 'a');
    });
    expect(fixture.derived.get('1')).toBe('c');
    expect(fixture.ran(() => fixture.things.set('a', 'x'))).toEqual(['1']);
    expect(fixture.derived.get('1')).toBe('x');
    expect(fixture.ran(() => fixture.things.set('b', 'd'))).toEqual([]);
    expect(fixture.ran(() => fixture.things.set('x', 'y'))).toEqual(['1']);
    expect(fixture.derived.get('1')).toBe('y');
  });

  it('are recorded also when the run threw, so that a later change can end the failure', () => {
    const fixture = createFixture((input, context, things) => {
      const thing = context.get(things, input);
      if (thing === undefined) throw new Error(`There is no ${input}.`);
      return thing;
    });
    fixture.ran(() => fixture.readers.set('1', 'a'));
    expect(fixture.derived.size).toBe(0);
    expect(fixture.derived.failures.get('1')?.error.message).toBe('There is no a.');
    expect(fixture.ran(() => fixture.things.set('a', 'here'))).toEqual(['1']);
    expect(fixture.derived.get('1')).toBe('here');
    expect(fixture.derived.failures.size).toBe(0);
    expect(fixture.ran(() => fixture.things.delete('a'))).toEqual(['1']);
    expect(fixture.derived.size).toBe(0);
    expect(fixture.derived.failures.get('1')?.error.message).toBe('There is no a.');
  });
});

describe('the dependencies of an input key', () => {
  it('are removed with the input key', () => {
    const fixture = createFixture((input, context, things) => context.get(things, input));
    fixture.ran(() => fixture.readers.set('1', 'a'));
    fixture.ran(() => fixture.readers.delete('1'));
    expect(fixture.ran(() => fixture.things.set('a', 'here'))).toEqual([]);
  });

  it('on a whole collection make it run again for every change', () => {
    const fixture = createFixture((_, context, things) => context.all(things).join());
    fixture.ran(() => {
      fixture.readers.set('1', '');
      fixture.things.set('b', 'B');
    });
    expect(fixture.ran(() => fixture.things.set('a', 'A'))).toEqual(['1']);
    expect(fixture.derived.get('1')).toBe('A,B');
    expect(fixture.ran(() => fixture.things.set('a', 'A'))).toEqual([]);
    expect(fixture.ran(() => fixture.things.delete('b'))).toEqual(['1']);
    expect(fixture.derived.get('1')).toBe('A');
  });

  it('may include the input collection itself', () => {
    const graph = createGraph();
    const nodes = graph.source<string>({ name: 'nodes' });
    const parents = graph.derive(nodes, (parent, context) => context.get(nodes, parent), { name: 'grandparents' });
    graph.commit(() => {
      nodes.set('child', 'parent');
      nodes.set('parent', 'grandparent');
    });
    expect(parents.get('child')).toBe('grandparent');
    expect(graph.commit(() => nodes.set('parent', 'other')).runs).toBe(2);
    expect(parents.get('child')).toBe('other');
  });
});

describe('a change', () => {
  it('stops at an output that is equal to the old one', () => {
    const graph = createGraph();
    const source = graph.source<{ readonly kept: number; readonly ignored: number }>({ name: 'source' });
    const kept = graph.derive(source, (value) => ({ kept: [value.kept] }), { name: 'kept' });
    const last = graph.derive(kept, (value) => value, { name: 'last' });
    graph.commit(() => source.set('a', { kept: 1, ignored: 1 }));
    const commit = graph.commit(() => source.set('a', { kept: 1, ignored: 2 }));
    expect(commit.runs).toBe(1);
    expect(commit.changes(source)).toHaveLength(1);
    expect(commit.changes(kept)).toEqual([]);
    expect(commit.changes(last)).toEqual([]);
  });

  it('stops where `equals` of the collection returns true', () => {
    const graph = createGraph();
    const equals = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase();
    const source = graph.source({ name: 'source', equals });
    graph.derive(source, (value) => value, { name: 'derived' });
    graph.commit(() => source.set('a', 'x'));
    expect(graph.commit(() => source.set('a', 'X')).runs).toBe(0);
    expect(source.get('a')).toBe('x');
    expect(graph.commit(() => source.set('a', 'y')).runs).toBe(1);
  });

  it('is applied when the comparison throws, which is a failure', () => {
    const graph = createGraph();
    const equals = (): never => {
      throw new Error('Cannot compare.');
    };
    const source = graph.source<string>({ name: 'source', equals });
    graph.commit(() => source.set('a', 'x'));
    const commit = graph.commit(() => source.set('a', 'y'));
    expect(source.get('a')).toBe('y');
    expect(commit.failures).toMatchObject([{ collection: 'source', key: 'a', error: { message: 'Cannot compare.' } }]);
  });
});
