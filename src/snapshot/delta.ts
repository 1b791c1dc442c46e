import sortedBtreeDiff from 'sorted-btree/extended/diffAgainst.js';
import type { EncodedResource } from '../wire/model.ts';
import type { Delta } from './model.ts';
import { byName, emptyTree, type Shard, type Shards } from './shards.ts';
import { JointView, type ShardedView } from './view.ts';

const diffTrees = sortedBtreeDiff.default;

/** Computes the delta of the shards of two views. Skips the shards, and the parts of shards, that both share. */
function computeDelta(from: Shards, to: Shards): Delta {
  const changed: EncodedResource[] = [];
  const removed: string[] = [];
  const diffShards = (before: Shard, after: Shard): void => {
    diffTrees(
      before,
      after,
      (name) => void removed.push(name),
      (_, resource) => void changed.push(resource),
      (_, old, resource) => {
        // A resource that was encoded again from an equal object is the same resource.
        if (old.version !== resource.version) changed.push(resource);
      },
    );
  };
  diffTrees(
    from,
    to,
    (_, removedShard) => {
      for (const name of removedShard.keys()) removed.push(name);
    },
    (_, addedShard) => {
      for (const resource of addedShard.values()) changed.push(resource);
    },
    (_, before, after) => diffShards(before, after),
  );
  // The comparison visits what only one side has before what both have.
  changed.sort((a, b) => byName(a.name, b.name));
  return { changed, removed: removed.sort(byName) };
}

/** The views of a snapshot: of one part, or of several. */
export type AnyView = ShardedView | JointView;

/** Caches deltas for as long as both views live: nodes that move from one view to the same other one compare once. */
export class DeltaCache {
  readonly #deltas = new WeakMap<AnyView, WeakMap<AnyView, Delta>>();

  get(from: AnyView, to: AnyView): Delta {
    let byTo = this.#deltas.get(from);
    if (byTo === undefined) {
      byTo = new WeakMap();
      this.#deltas.set(from, byTo);
    }
    let delta = byTo.get(to);
    if (delta === undefined) {
      delta = this.#compute(from, to);
      byTo.set(to, delta);
    }
    return delta;
  }

  #compute(from: AnyView, to: AnyView): Delta {
    if (from instanceof JointView && to instanceof JointView) return this.#computeJoint(from, to);
    if (from instanceof JointView || to instanceof JointView) throw new TypeError('Views of different types');
    return computeDelta(from.shards, to.shards);
  }

  /**
   * A part that Gateways share changes for all of them, and then its delta is the delta of each: the same object, so that
   * the response to it is built once.
   */
  #computeJoint(from: JointView, to: JointView): Delta {
    // The empty view has no parts.
    const positions = [...(to.parts.length > from.parts.length ? to : from).parts.keys()];
    const deltas = positions.flatMap((position) => {
      const [before, after] = [from.parts[position], to.parts[position]];
      if (before === after) return [];
      if (before !== undefined && after !== undefined) return [this.get(before, after)];
      return [computeDelta(before?.shards ?? emptyTree(), after?.shards ?? emptyTree())];
    });
    const [first, ...others] = deltas.filter(({ changed, removed }) => changed.length + removed.length > 0);
    if (first === undefined) return { changed: [], removed: [] };
    if (others.length === 0) return first;
    return {
      changed: [first, ...others].flatMap(({ changed }) => changed),
      removed: [first, ...others].flatMap(({ removed }) => removed),
    };
  }
}
