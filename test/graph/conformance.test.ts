import { describe, expect, it } from 'vitest';
import { createGraph } from '../../src/graph/graph.ts';
import type { Context } from '../../src/graph/model.ts';
import { type Rig, type RigKind, rigKinds } from './rigs.ts';

/** Adds a derived collection with one input key and counts its runs. */
function observe<O>(rig: Rig, transform: (context: Context) => O | undefined): { readonly runs: () => number } {
  const anchor = rig.graph.source<string>({ name: 'anchor' });
  rig.graph.derive(anchor, (_, context) => transform(context), { name: 'observer' });
  rig.graph.commit(() => anchor.set('here', ''));
  return { runs: () => rig.graph.dump().find(({ name }) => name === 'observer')?.runs ?? 0 };
}

function contents(rig: Rig): Readonly<Record<string, unknown>> {
  return Object.fromEntries(rig.collection.entries());
}

const awkwardKeys = ['__proto__', 'constructor', 'hasOwnProperty', '', ' ', 'a/b', '*', '0', '\0', '😀'];

describe.each(rigKinds)('the contents of $kind', ({ create }: RigKind) => {
  it('start empty', () => {
    const rig = create();
    expect(contents(rig)).toEqual({});
    expect(rig.collection.size).toBe(0);
    expect(rig.collection.get('a')).toBeUndefined();
  });

  it('include a key that a commit adds, and the commit reports the change', () => {
    const rig = create();
    const commit = rig.graph.commit(() => rig.put('a', 1));
    expect(contents(rig)).toEqual({ a: rig.value('a', 1) });
    expect(rig.collection.get('a')).toEqual(rig.value('a', 1));
    expect(rig.collection.size).toBe(1);
    expect(commit.changes(rig.collection)).toEqual([{ key: 'a', before: undefined, after: rig.value('a', 1) }]);
  });

  it('are those of the previous epoch while a batch is applied', () => {
    const rig = create();
    rig.graph.commit(() => rig.put('a', 1));
    rig.graph.commit(() => {
      rig.remove('a');
      rig.put('b', 2);
      expect(contents(rig)).toEqual({ a: rig.value('a', 1) });
    });
    expect(contents(rig)).toEqual({ b: rig.value('b', 2) });
  });

  it('exclude a key that a commit removes, and the commit reports the change', () => {
    const rig = create();
    rig.graph.commit(() => rig.put('a', 1));
    const commit = rig.graph.commit(() => rig.remove('a'));
    expect(contents(rig)).toEqual({});
    expect(commit.changes(rig.collection)).toEqual([{ key: 'a', before: rig.value('a', 1), after: undefined }]);
  });

  it('do not change when a value is replaced by an equal one', () => {
    const rig = create();
    rig.graph.commit(() => rig.put('a', 1));
    const held = rig.collection.get('a');
    const commit = rig.graph.commit(() => rig.put('a', 1));
    expect(commit.changes(rig.collection)).toEqual([]);
    expect(rig.collection.get('a')).toBe(held);
  });

  it('do not change when an absent key is removed', () => {
    const rig = create();
    const commit = rig.graph.commit(() => rig.remove('a'));
    expect(commit.changes(rig.collection)).toEqual([]);
    expect(commit.runs).toBe(0);
  });

  it.each(awkwardKeys)('accept the key %j', (key) => {
    const rig = create();
    rig.graph.commit(() => rig.put(key, 1));
    expect([...rig.collection.entries()]).toEqual([[key, rig.value(key, 1)]]);
    expect(rig.collection.get('toString')).toBeUndefined();
    rig.graph.commit(() => rig.remove(key));
    expect(rig.collection.size).toBe(0);
  });
});

describe.each(rigKinds)('a batch for $kind', ({ create }: RigKind) => {
  it('changes nothing when it adds and removes a key', () => {
    const rig = create();
    const commit = rig.graph.commit(() => {
      rig.put('a', 1);
      rig.remove('a');
    });
    expect(contents(rig)).toEqual({});
    expect(commit.changes(rig.collection)).toEqual([]);
  });

  it('changes nothing when it removes and restores a key', () => {
    const rig = create();
    rig.graph.commit(() => rig.put('a', 1));
    const commit = rig.graph.commit(() => {
      rig.remove('a');
      rig.put('a', 1);
    });
    expect(commit.changes(rig.collection)).toEqual([]);
    expect(commit.runs).toBe(0);
  });

  it('changes each of its keys once', () => {
    const rig = create();
    const keys = Array.from({ length: 50 }, (_, at) => `key-${at}`);
    const commit = rig.graph.commit(() => {
      for (const key of keys) rig.put(key, 1);
    });
    const changed = commit.changes(rig.collection).map(({ key }) => key);
    expect(changed.toSorted()).toEqual(keys.toSorted());
  });

  it('changes nothing when it throws', () => {
    const rig = create();
    rig.graph.commit(() => rig.put('a', 1));
    const broken = (): void => {
      rig.remove('a');
      rig.put('b', 2);
      throw new Error('The batch broke.');
    };
    expect(() => rig.graph.commit(broken)).toThrow('The batch broke.');
    expect(rig.graph.commit(() => undefined).changes(rig.collection)).toEqual([]);
    expect(contents(rig)).toEqual({ a: rig.value('a', 1) });
  });

  it('keeps its changes after later commits', () => {
    const rig = create();
    const first = rig.graph.commit(() => rig.put('a', 1));
    const second = rig.graph.commit(() => rig.remove('a'));
    expect(first.changes(rig.collection)).toMatchObject([{ key: 'a', before: undefined }]);
    expect(second.changes(rig.collection)).toMatchObject([{ key: 'a', after: undefined }]);
  });
});

describe.each(rigKinds)('the readers of $kind', ({ create }: RigKind) => {
  it('run again for the key that they read, also when it was absent, and for no other key', () => {
    const rig = create();
    const observer = observe(rig, (context) => context.get(rig.collection, 'a'));
    const before = observer.runs();
    rig.graph.commit(() => rig.put('b', 1));
    expect(observer.runs()).toBe(before);
    rig.graph.commit(() => rig.put('a', 1));
    expect(observer.runs()).toBe(before + 1);
    rig.graph.commit(() => rig.remove('a'));
    expect(observer.runs()).toBe(before + 2);
  });

  it('run again once per commit when they read the whole collection', () => {
    const rig = create();
    const observer = observe(rig, (context) => context.all(rig.collection));
    const before = observer.runs();
    rig.graph.commit(() => {
      rig.put('a', 1);
      rig.put('b', 1);
    });
    expect(observer.runs()).toBe(before + 1);
  });

  it('get all values in the order of the keys, not of their arrival', () => {
    const rig = create();
    const seen: unknown[] = [];
    observe(rig, (context) => {
      seen.push(context.all(rig.collection));
      return undefined;
    });
    rig.graph.commit(() => rig.put('b', 1));
    rig.graph.commit(() => rig.put('c', 1));
    rig.graph.commit(() => rig.put('a', 1));
    expect(seen.at(-1)).toEqual(['a', 'b', 'c'].map((key) => rig.value(key, 1)));
  });
});

describe.each(rigKinds)('$kind', ({ create }: RigKind) => {
  it('fills a collection that is created over its contents with the next commit', () => {
    const rig = create();
    rig.graph.commit(() => rig.put('a', 1));
    const late = rig.graph.derive(rig.collection, (value) => ({ value }), { name: 'late' });
    expect(late.size).toBe(0);
    const commit = rig.graph.commit(() => undefined);
    expect(commit.changes(late)).toEqual([{ key: 'a', before: undefined, after: { value: rig.value('a', 1) } }]);
  });

  it('rejects a read past the context of a transformation', () => {
    const rig = create();
    const anchor = rig.graph.source<string>({ name: 'anchor' });
    const reads = {
      get: () => rig.collection.get('a'),
      size: () => rig.collection.size,
      all: () => rig.collection.entries(),
    };
    const derived = rig.graph.derive(anchor, (how) => Object.entries(reads).find(([name]) => name === how)?.[1](), {
      name: 'outside-context',
    });
    rig.graph.commit(() => {
      for (const how of Object.keys(reads)) anchor.set(how, how);
    });
    expect([...derived.failures.entries()].map(([key]) => key).toSorted()).toEqual(['all', 'get', 'size']);
    expect(derived.failures.get('get')?.error.message).toContain(`"${rig.collection.name}" was read past the context`);
  });

  it('is rejected by another graph', () => {
    const rig = create();
    const other = createGraph();
    expect(() => other.derive(rig.collection, () => 1, { name: 'd' })).toThrow('not a collection of this graph');
    expect(() => other.commit(() => undefined).changes(rig.collection)).toThrow('not a collection of this graph');
  });
});

describe.each(rigKinds.filter(({ replaceable }) => replaceable))('the values of $kind', ({ create }: RigKind) => {
  it('are replaced in one change', () => {
    const rig = create();
    rig.graph.commit(() => rig.put('a', 1));
    const commit = rig.graph.commit(() => rig.put('a', 2));
    expect(commit.changes(rig.collection)).toEqual([{ key: 'a', before: rig.value('a', 1), after: rig.value('a', 2) }]);
    expect(contents(rig)).toEqual({ a: rig.value('a', 2) });
  });

  it('do not change when a batch replaces and restores a value', () => {
    const rig = create();
    rig.graph.commit(() => rig.put('a', 1));
    const commit = rig.graph.commit(() => {
      rig.put('a', 2);
      rig.put('a', 1);
    });
    expect(commit.changes(rig.collection)).toEqual([]);
    expect(commit.runs).toBe(0);
  });
});
