import sortedBtreeDiff from 'sorted-btree/extended/diffAgainst.js';
import type { EncodedResource } from '../wire/model.ts';
import type { Delta } from './model.ts';
import { byName, type Shard } from './shards.ts';
import type { ShardedView } from './view.ts';

const diffTrees = sortedBtreeDiff.default;

/** Computes the delta of two views. Skips the shards, and the parts of shards, that both share. */
function computeDelta(from: ShardedView, to: ShardedView): Delta {
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
    from.shards,
    to.shards,
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

/** Caches deltas for as long as both views live: nodes that move from one view to the same other one compare once. */
export class DeltaCache {
  readonly #deltas = new WeakMap<ShardedView, WeakMap<ShardedView, Delta>>();

  get(from: ShardedView, to: ShardedView): Delta {
    let byTo = this.#deltas.get(from);
    if (byTo === undefined) {
      byTo = new WeakMap();
      this.#deltas.set(from, byTo);
    }
    let delta = byTo.get(to);
    if (delta === undefined) {
      delta = computeDelta(from, to);
      byTo.set(to, delta);
    }
    return delta;
  }
}
