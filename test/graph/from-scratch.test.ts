import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Collection, Commit } from '../../src/graph/model.ts';
import { createWorld, type Edit, edits, type World, worldPlans } from './random-world.ts';

type State = ReadonlyMap<string, readonly (readonly [key: string, value: unknown])[]>;

/** The entries of all collections, by collection, in the order of the keys. */
function stateOf(world: World): State {
  return new Map(world.collections.map((collection) => [collection.name, sorted(collection.entries())]));
}

function sorted(entries: Iterable<readonly [string, unknown]>): readonly (readonly [key: string, value: unknown])[] {
  return [...entries].toSorted(([a], [b]) => (a < b ? -1 : 1));
}

/** The edits that create the final inputs in an empty world. */
function finalInputs(history: readonly (readonly Edit[])[]): readonly Edit[] {
  const last = new Map(history.flat().map((edit) => [`${edit.source} ${edit.key}`, edit]));
  return [...last.values()].filter(({ value }) => value !== null);
}

/** Reconstructs one collection from its changes alone. */
class Mirror {
  readonly #collection: Collection<unknown>;
  readonly #held = new Map<string, unknown>();

  constructor(collection: Collection<unknown>) {
    this.#collection = collection;
  }

  follow(commit: Commit): void {
    for (const { key, before, after } of commit.changes(this.#collection)) {
      expect(this.#held.get(key)).toEqual(before);
      expect(before ?? after).toBeDefined();
      if (after === undefined) this.#held.delete(key);
      else this.#held.set(key, after);
    }
    expect(sorted(this.#held)).toEqual(sorted(this.#collection.entries()));
  }
}

const histories = fc.array(edits, { minLength: 1, maxLength: 8 });

describe('any world, after any history of commits', () => {
  it('equals a world with the final inputs alone, set in any order', () => {
    const shuffles = fc.infiniteStream(fc.nat());
    fc.assert(
      fc.property(worldPlans, histories, shuffles, (plan, history, order) => {
        const world = createWorld(plan);
        for (const batch of history) world.commit(batch);
        const fresh = createWorld(plan);
        const places = finalInputs(history).map((edit): [number, Edit] => [order.next().value, edit]);
        fresh.commit(places.toSorted(([a], [b]) => a - b).map(([, edit]) => edit));
        expect(stateOf(world)).toEqual(stateOf(fresh));
      }),
      { numRuns: 400 },
    );
  });

  it('has as many bookkeeping entries as a world with the final inputs alone', () => {
    fc.assert(
      fc.property(worldPlans, histories, (plan, history) => {
        const world = createWorld(plan);
        for (const batch of history) world.commit(batch);
        const fresh = createWorld(plan);
        fresh.commit(finalInputs(history));
        expect(bookkeepingOf(world)).toEqual(bookkeepingOf(fresh));
      }),
      { numRuns: 150 },
    );
  });

  it('can be reconstructed from the changes of the commits', () => {
    fc.assert(
      fc.property(worldPlans, histories, (plan, history) => {
        const world = createWorld(plan);
        const mirrors = world.collections.map((collection) => new Mirror(collection));
        for (const batch of history) {
          const commit = world.commit(batch);
          for (const mirror of mirrors) mirror.follow(commit);
        }
      }),
      { numRuns: 150 },
    );
  });

  it('runs nothing when the same inputs are set again', () => {
    fc.assert(
      fc.property(worldPlans, histories, (plan, history) => {
        const world = createWorld(plan);
        for (const batch of history) world.commit(batch);
        const commit = world.commit(finalInputs(history));
        expect(commit.runs).toBe(0);
        expect(world.collections.flatMap((collection) => commit.changes(collection))).toEqual([]);
      }),
      { numRuns: 100 },
    );
  });
});

function bookkeepingOf(world: World): ReadonlyMap<string, number> {
  return new Map(world.graph.dump().map(({ name, bookkeeping }) => [name, bookkeeping]));
}
