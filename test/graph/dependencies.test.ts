import { describe, expect, it } from 'vitest';
import { createGraph } from '../../src/graph/graph.ts';
import type { Context, Derived, Graph, Source } from '../../src/graph/model.ts';

/** Readers, each with a transformation that can be told what to read, over one source of things. */
interface Library {
  readonly graph: Graph;
  readonly things: Source<string>;
  readonly readers: Source<string>;
  readonly derived: Derived<string>;
  /** The input keys that ran in the commit of these edits. */
  ran(apply: () => void): readonly string[];
}

function createLibrary(
  transform: (wish: string, context: Context, things: Source<string>) => string | undefined,
): Library {
  const graph = createGraph();
  const things = graph.source<string>({ name: 'things' });
  const readers = graph.source<string>({ name: 'readers' });
  const ran: string[] = [];
  const run = (wish: string, context: Context, key: string): string | undefined => {
    ran.push(key);
    return transform(wish, context, things);
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

/** Follows a chain: each thing names the next one, up to the first that does not exist. */
function follow(wish: string, context: Context, things: Source<string>): string {
  const next = context.get(things, wish);
  return next === undefined ? wish : follow(next, context, things);
}

describe('the record of a run', () => {
  it('wakes only the input keys that read what changed', () => {
    const library = createLibrary((wish, context, things) => context.get(things, wish));
    library.ran(() => {
      for (const key of ['a', 'b', 'c', 'd']) library.things.set(key, key);
      library.readers.set('1', 'a');
      library.readers.set('2', 'a');
      library.readers.set('3', 'b');
    });
    expect(library.ran(() => library.things.set('a', 'new'))).toEqual(['1', '2']);
    expect(library.ran(() => library.things.set('b', 'new'))).toEqual(['3']);
    expect(library.ran(() => library.things.set('c', 'new'))).toEqual([]);
    expect(library.ran(() => library.readers.set('3', 'd'))).toEqual(['3']);
  });

  it('replaces that of the previous run', () => {
    const library = createLibrary(follow);
    library.ran(() => {
      library.things.set('a', 'b');
      library.things.set('b', 'c');
      library.readers.set('1', 'a');
    });
    expect(library.derived.get('1')).toBe('c');
    expect(library.ran(() => library.things.set('a', 'x'))).toEqual(['1']);
    expect(library.derived.get('1')).toBe('x');
    expect(library.ran(() => library.things.set('b', 'd'))).toEqual([]);
    expect(library.ran(() => library.things.set('x', 'y'))).toEqual(['1']);
    expect(library.derived.get('1')).toBe('y');
  });

  it('covers keys that did not exist when they were read', () => {
    const library = createLibrary((wish, context, things) => context.get(things, wish) ?? 'missing');
    library.ran(() => library.readers.set('1', 'a'));
    expect(library.derived.get('1')).toBe('missing');
    expect(library.ran(() => library.things.set('a', 'here'))).toEqual(['1']);
    expect(library.derived.get('1')).toBe('here');
    expect(library.ran(() => library.things.delete('a'))).toEqual(['1']);
    expect(library.derived.get('1')).toBe('missing');
  });

  it('is kept also when the run threw, so that it heals by itself', () => {
    const library = createLibrary((wish, context, things) => {
      const thing = context.get(things, wish);
      if (thing === undefined) throw new Error(`There is no ${wish}.`);
      return thing;
    });
    library.ran(() => library.readers.set('1', 'a'));
    expect(library.derived.size).toBe(0);
    expect(library.derived.failures.get('1')?.error.message).toBe('There is no a.');
    expect(library.ran(() => library.things.set('a', 'here'))).toEqual(['1']);
    expect(library.derived.get('1')).toBe('here');
    expect(library.derived.failures.size).toBe(0);
    expect(library.ran(() => library.things.delete('a'))).toEqual(['1']);
    expect(library.derived.size).toBe(0);
    expect(library.derived.failures.get('1')?.error.message).toBe('There is no a.');
  });
});

describe('the record of a key', () => {
  it('ends with the input key', () => {
    const library = createLibrary((wish, context, things) => context.get(things, wish));
    library.ran(() => library.readers.set('1', 'a'));
    library.ran(() => library.readers.delete('1'));
    expect(library.ran(() => library.things.set('a', 'here'))).toEqual([]);
  });

  it('wakes who read everything for any change in it', () => {
    const library = createLibrary((_, context, things) => context.all(things).join());
    library.ran(() => {
      library.readers.set('1', '');
      library.things.set('b', 'B');
    });
    expect(library.ran(() => library.things.set('a', 'A'))).toEqual(['1']);
    expect(library.derived.get('1')).toBe('A,B');
    expect(library.ran(() => library.things.set('a', 'A'))).toEqual([]);
    expect(library.ran(() => library.things.delete('b'))).toEqual(['1']);
    expect(library.derived.get('1')).toBe('A');
  });

  it('may cover the input collection itself', () => {
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

  it('stops where the collection says that it is none', () => {
    const graph = createGraph();
    const equals = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase();
    const source = graph.source({ name: 'source', equals });
    graph.derive(source, (value) => value, { name: 'derived' });
    graph.commit(() => source.set('a', 'x'));
    expect(graph.commit(() => source.set('a', 'X')).runs).toBe(0);
    expect(source.get('a')).toBe('x');
    expect(graph.commit(() => source.set('a', 'y')).runs).toBe(1);
  });

  it('goes on where the comparison throws, and the bug is reported', () => {
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
