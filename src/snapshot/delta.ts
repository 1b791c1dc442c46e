import sortedBtreeDiff from 'sorted-btree/extended/diffAgainst.js';
import type { EncodedResource } from '../wire/model.ts';
import type { Difference } from './model.ts';
import { byName, type Shard } from './shards.ts';
import type { ShardedView } from './view.ts';

const diffTrees = sortedBtreeDiff.default;

/** What makes `to` out of `from`. Skips the shards, and the parts of shards, that both have in common. */
function differenceOf(from: ShardedView, to: ShardedView): Difference {
  const changed: EncodedResource[] = [];
  const removed: string[] = [];
  const compareShards = (before: Shard, after: Shard): void => {
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
    (_, gone) => {
      for (const name of gone.keys()) removed.push(name);
    },
    (_, arrived) => {
      for (const resource of arrived.values()) changed.push(resource);
    },
    (_, before, after) => compareShards(before, after),
  );
  // The comparison visits what only one side has before what both have.
  changed.sort((a, b) => byName(a.name, b.name));
  return { changed, removed: removed.sort(byName) };
}

/** Remembers differences for as long as both Views live: a fleet that makes the same step compares once. */
export class Differences {
  readonly #known = new WeakMap<ShardedView, WeakMap<ShardedView, Difference>>();

  between(from: ShardedView, to: ShardedView): Difference {
    let byTo = this.#known.get(from);
    if (byTo === undefined) {
      byTo = new WeakMap();
      this.#known.set(from, byTo);
    }
    let difference = byTo.get(to);
    if (difference === undefined) {
      difference = differenceOf(from, to);
      byTo.set(to, difference);
    }
    return difference;
  }
}
