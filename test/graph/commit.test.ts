import { describe, expect, it } from 'vitest';
import { createGraph } from '../../src/graph/graph.ts';
import type { Commit, Failure } from '../../src/graph/model.ts';

const nothing = (): void => undefined;

describe('commit', () => {
  it('counts epochs, also of commits that change nothing', () => {
    const graph = createGraph();
    expect(graph.epoch).toBe(0);
    expect(graph.commit(nothing).epoch).toBe(1);
    expect(graph.commit(nothing).epoch).toBe(2);
    expect(graph.epoch).toBe(2);
  });

  it('does not count a batch that threw', () => {
    const graph = createGraph();
    const broken = (): never => {
      throw new Error('The batch broke.');
    };
    expect(() => graph.commit(broken)).toThrow('The batch broke.');
    expect(graph.epoch).toBe(0);
  });

  it('rejects a commit within a commit, and discards the outer batch', () => {
    const graph = createGraph();
    const source = graph.source<number>({ name: 'source' });
    const nested = (): void => {
      source.set('a', 1);
      graph.commit(() => source.set('b', 2));
    };
    expect(() => graph.commit(nested)).toThrow('commit was called within a commit');
    graph.commit(nothing);
    expect(source.size).toBe(0);
  });

  it('rejects set and delete outside of a batch', () => {
    const graph = createGraph();
    const source = graph.source<number>({ name: 'source' });
    expect(() => source.set('a', 1)).toThrow('set "a" of "source" outside of a batch: call it inside graph.commit');
    expect(() => source.delete('a')).toThrow('delete "a" of "source" outside of a batch');
    graph.commit(nothing);
    expect(source.size).toBe(0);
  });

  it('rejects undefined as a value', () => {
    const graph = createGraph();
    const source = graph.source<number | undefined>({ name: 'source' });
    expect(() => graph.commit(() => source.set('a', undefined))).toThrow('cannot hold undefined under "a"');
  });

  it('rejects the creation of collections within a batch', () => {
    const graph = createGraph();
    expect(() => graph.commit(() => graph.source({ name: 'late' }))).toThrow(
      '"late" cannot be created within a commit',
    );
  });

  it('counts the runs of all transformations', () => {
    const graph = createGraph();
    const source = graph.source<number>({ name: 'source' });
    const doubled = graph.derive(source, (value) => value * 2, { name: 'doubled' });
    graph.derive(doubled, (value) => value > 2, { name: 'large' });
    const batch = (): void => {
      source.set('a', 1);
      source.set('b', 2);
    };
    expect(graph.commit(batch).runs).toBe(4);
    expect(graph.commit(batch).runs).toBe(0);
  });

  it('rejects a name that is taken, also the name of a collection of failures', () => {
    const graph = createGraph();
    const source = graph.source({ name: 'a' });
    expect(() => graph.source({ name: 'a' })).toThrow('The graph has a "a" already');
    graph.source({ name: 'b.failures' });
    expect(() => graph.derive(source, () => 1, { name: 'b' })).toThrow('The graph has a "b.failures" already');
  });
});

describe('a transformation', () => {
  const forbidden: readonly (readonly [name: string, message: string])[] = [
    ['set', 'transformations change nothing'],
    ['commit', 'commit was called within a commit'],
    ['create', '"late" cannot be created within a commit'],
    ['dump', '"dump" was read past the context'],
  ];

  it.each(forbidden)('fails when it calls %s', (name, message) => {
    const graph = createGraph();
    const source = graph.source<string>({ name: 'source' });
    const calls: Readonly<Record<string, () => unknown>> = {
      set: () => source.set('b', 'more'),
      commit: () => graph.commit(nothing),
      create: () => graph.source({ name: 'late' }),
      dump: () => graph.dump(),
    };
    const derived = graph.derive(source, (call) => calls[call]?.(), { name: 'derived' });
    graph.commit(() => source.set('a', name));
    expect(derived.failures.get('a')?.error.message).toContain(message);
    expect([...source.entries()]).toEqual([['a', name]]);
  });

  it('fails when it reads a collection that was created after it', () => {
    const graph = createGraph();
    const source = graph.source<number>({ name: 'source' });
    const early = graph.derive(source, (_, context): unknown => context.get(late, 'a'), { name: 'early' });
    const late = graph.derive(source, (value) => value, { name: 'late' });
    graph.commit(() => source.set('a', 1));
    expect(early.failures.get('a')?.error.message).toBe(
      '"early" cannot read "late": it can read only what was created before it.',
    );
  });

  it('fails when it reads its own outputs or failures', () => {
    const graph = createGraph();
    const source = graph.source<string>({ name: 'source' });
    const derived = graph.derive(
      source,
      (what, context): unknown => (what === 'self' ? context.all(derived) : context.all(derived.failures)),
      { name: 'derived' },
    );
    graph.commit(() => {
      source.set('a', 'self');
      source.set('b', 'failures');
    });
    expect(derived.failures.get('a')?.error.message).toContain('cannot read "derived"');
    expect(derived.failures.get('b')?.error.message).toContain('cannot read "derived.failures"');
  });

  it('cannot read through its context after its run', () => {
    const graph = createGraph();
    const source = graph.source<number>({ name: 'source' });
    const kept: (() => unknown)[] = [];
    graph.derive(source, (_, context) => kept.push(() => context.get(source, 'a')), { name: 'late-reader' });
    graph.commit(() => source.set('a', 1));
    for (const read of kept) expect(read).toThrow('"late-reader" read "source" after its run had ended');
    expect(kept).toHaveLength(1);
  });
});

describe('onFailure', () => {
  it('is called for every failure after the commit is complete, and may read and commit', () => {
    const seen: (readonly [failure: Failure, size: number])[] = [];
    const graph = createGraph({
      onFailure: (failure) => {
        seen.push([failure, source.size]);
        if (failure.key === 'a') graph.commit(() => source.delete('a'));
      },
    });
    const source = graph.source<number>({ name: 'source' });
    const refuse = (value: number): never => {
      throw new Error(`No ${value}.`);
    };
    graph.derive(source, refuse, { name: 'derived' });
    const commit: Commit = graph.commit(() => {
      source.set('a', 1);
      source.set('b', 2);
    });
    expect(commit.failures.map(({ collection, key }) => `${collection} ${key}`)).toEqual(['derived a', 'derived b']);
    expect(seen.map(([{ error }, size]) => [error.message, size])).toEqual([
      ['No 1.', 2],
      ['No 2.', 1],
    ]);
  });
});

it('a checkpoint is reached once in each commit, after what was created before it and before what follows', () => {
  const graph = createGraph();
  const order: string[] = [];
  const source = graph.source<number>({ name: 'source' });
  const derive = (name: string): void => {
    graph.derive(source, (value) => void order.push(`${name} ${value}`), { name });
  };
  derive('before');
  graph.checkpoint(() => order.push('checkpoint'));
  derive('after');
  graph.commit(() => source.set('a', 1));
  graph.commit(nothing);
  expect(order).toEqual(['before 1', 'checkpoint', 'after 1', 'checkpoint']);
  expect(graph.dump().map(({ name }) => name)).not.toContain('checkpoint');
});
