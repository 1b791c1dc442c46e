import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createGraph } from '../../src/graph/graph.ts';

const atOnce = 5;

/** A collection that reads one shared value for each of its keys, and computes five at once. */
function createRig() {
  const graph = createGraph({ check: true });
  const shared = graph.source<number>({ name: 'shared' });
  const items = graph.source<number>({ name: 'items' });
  const sums = graph.derive(items, (value, context) => value + (context.get(shared, '') ?? 0), {
    name: 'sums',
    atOnce,
  });
  return {
    graph,
    sums,
    set: (key: string, value: number) => graph.commit(() => items.set(key, value)),
    remove: (key: string) => graph.commit(() => items.delete(key)),
    share: (value: number) => graph.commit(() => shared.set('', value)),
    all: () => Object.fromEntries([...sums.entries()].sort(([a], [b]) => (a < b ? -1 : 1))),
    expected: () =>
      Object.fromEntries(
        [...items.entries()]
          .map(([key, value]) => [key, value + (shared.get('') ?? 0)] as const)
          .sort(([a], [b]) => (a < b ? -1 : 1)),
      ),
  };
}

const keys = Array.from({ length: 12 }, (_, at) => `k${String(at).padStart(2, '0')}`);

describe('a collection that computes five at once', () => {
  it('computes everything in each commit before the graph postpones', () => {
    const rig = createRig();
    for (const key of keys) rig.set(key, 0);
    expect(rig.share(1).changes(rig.sums)).toHaveLength(12);
    expect(rig.graph.isUnfinished).toBe(false);
  });

  it('leaves the others as they were, and goes on with them five at a time', () => {
    const rig = createRig();
    for (const key of keys) rig.set(key, 0);
    rig.graph.postpone();
    expect(rig.share(1).runs).toBe(atOnce);
    expect(Object.values(rig.all()).filter((value) => value === 0)).toHaveLength(7);
    expect(rig.graph.isUnfinished).toBe(true);
    expect(rig.graph.resume().changes(rig.sums)).toHaveLength(5);
    expect(rig.graph.resume().changes(rig.sums)).toHaveLength(2);
    expect(rig.graph.isUnfinished).toBe(false);
    expect(rig.all()).toEqual(rig.expected());
  });

  it('computes what a batch has changed itself in the commit of the batch, whatever is left of others', () => {
    const rig = createRig();
    for (const key of keys) rig.set(key, 0);
    rig.graph.postpone();
    rig.share(1);
    expect(
      rig
        .set('k11', 7)
        .changes(rig.sums)
        .map(({ key }) => key),
    ).toEqual(['k11']);
    rig.remove('k10');
    expect(rig.sums.get('k10')).toBeUndefined();
    while (rig.graph.isUnfinished) rig.graph.resume();
    expect(rig.all()).toEqual(rig.expected());
  });

  it('is in the end what it is from scratch, after any history', () => {
    const step = fc.oneof(
      fc.record({ does: fc.constant('set' as const), key: fc.constantFrom(...keys), value: fc.nat({ max: 3 }) }),
      fc.record({ does: fc.constant('remove' as const), key: fc.constantFrom(...keys) }),
      fc.record({ does: fc.constant('share' as const), value: fc.nat({ max: 3 }) }),
      fc.record({ does: fc.constant('resume' as const) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const rig = createRig();
        rig.graph.postpone();
        for (const one of steps) {
          if (one.does === 'set') rig.set(one.key, one.value);
          else if (one.does === 'remove') rig.remove(one.key);
          else if (one.does === 'share') rig.share(one.value);
          else rig.graph.resume();
        }
        while (rig.graph.isUnfinished) rig.graph.resume();
        expect(rig.all()).toEqual(rig.expected());
      }),
    );
  });
});

describe('a collection of whole changes', () => {
  it('has the outputs of the last state that was complete, however partial commits came before', () => {
    const step = fc.record({
      key: fc.constantFrom(...keys),
      value: fc.option(fc.nat({ max: 3 })),
      partial: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const graph = createGraph({ check: true });
        const shared = graph.source<number>({ name: 'shared' });
        const items = graph.source<number>({ name: 'items' });
        const sums = graph.derive(items, (value, context) => value + (context.get(shared, '') ?? 0), {
          name: 'sums',
          whole: true,
        });
        let complete: readonly unknown[] = [];
        for (const { key, value, partial } of steps) {
          const commit = graph.commit(
            () => {
              shared.set('', value ?? 0);
              if (value === null) items.delete(key);
              else items.set(key, value);
            },
            { partial },
          );
          if (partial) expect([commit.runs, commit.changes(sums)]).toEqual([0, []]);
          else complete = [...items.entries()].map(([name, own]) => [name, own + (shared.get('') ?? 0)]).sort();
          expect([...sums.entries()].sort()).toEqual(complete);
        }
      }),
    );
  });
});
