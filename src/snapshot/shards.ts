import sortedBtree from 'sorted-btree';
import type { EncodedResource } from '../wire/model.ts';

/**
 * A persistent sorted tree (copy-on-write B+ tree): a copy shares every node with its original until one of them
 * changes, and a comparison skips the shared nodes. So an unchanged part of an old snapshot costs no memory, an old
 * snapshot stays readable, and comparing two takes time proportional to their difference.
 */
export type Tree<V> = InstanceType<typeof sortedBtree.default<string, V>>;

/** The resources of one shard, by name. Immutable once it is a member of `Shards`. */
export type Shard = Tree<EncodedResource>;

/** The shards of one view, by shard name; none of them is empty. */
export type Shards = Tree<Shard>;

/** Compares names. They are ASCII, so the order is the bytewise one. */
export function byName(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Creates a tree without members. */
export function emptyTree<V>(): Tree<V> {
  return new sortedBtree.default<string, V>(undefined, byName);
}

/** Copies a tree and sets some keys, or removes those with the value `undefined`. The original is unchanged. */
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
