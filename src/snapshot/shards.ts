import sortedBtree from 'sorted-btree';
import type { EncodedResource } from '../wire/model.ts';

/**
 * Persistent sorted trees: a copy shares every node with its original until one of them changes, and comparing two
 * skips what they share. So an old snapshot costs nothing while it equals the new one, can be read for as long as
 * somebody holds it, and the difference of two is found in the time of the difference.
 */
export type Tree<V> = InstanceType<typeof sortedBtree.default<string, V>>;

/** The resources of one shard, by name. Never changed once it is in `Shards`. */
export type Shard = Tree<EncodedResource>;

/** The shards of one View, by shard name; none of them is empty. */
export type Shards = Tree<Shard>;

/** The order of names everywhere. They are ASCII, so this is the bytewise one. */
export function byName(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** A tree without members. */
export function emptyTree<V>(): Tree<V> {
  return new sortedBtree.default<string, V>(undefined, byName);
}

/** The same tree with some keys set or (`undefined`) removed; the original stays as it is. */
export function withEntries<V>(
  tree: Tree<V>,
  entries: Iterable<readonly [key: string, value: V | undefined]>,
): Tree<V> {
  const copy = tree.clone();
  for (const [key, value] of entries) {
    if (value === undefined) copy.delete(key);
    else copy.set(key, value);
  }
  return copy;
}
