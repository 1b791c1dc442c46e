import type { Stop } from '../edges.ts';
import type { Change, Collection, Commit } from '../graph/model.ts';
import type { EncodedResource, ResourceType } from '../wire/model.ts';
import { DeltaCache } from './delta.ts';
import type { Delta, PlacedResource, Snapshot, Snapshots, View } from './model.ts';
import { ScopedViews, type ShardScope } from './scoped-views.ts';
import { emptyTree, type Shard, withEntries } from './shards.ts';
import { type Digest, ShardedView, ShardVersions } from './view.ts';

export type { ShardScope } from './scoped-views.ts';

/** One type of resources, its resources and the scope of each Gateway. */
interface TypeSource {
  readonly type: ResourceType;
  /** By any key. A resource changes its shard only together with its name. */
  readonly resources: Collection<PlacedResource>;
  /**
   * Returns the shard of a name, so that a view finds a resource without a search. Within one view, the order of the
   * shards must be the bytewise order of the names in them. Absent: no scope has more than one shard.
   */
  readonly shardOf?: (name: string) => string;
  /** Returns the scope of an existing Gateway, by its key. */
  readonly scopeOf: (gateway: string) => ShardScope;
}

export interface SnapshotParts {
  readonly types: readonly TypeSource[];
  /** One entry per Gateway object that exists. A change of an entry makes `apply` call `scopeOf` again. */
  readonly gateways: Collection<unknown>;
  readonly digest: Digest;
}

/** The snapshots, with the method that updates them. */
export interface SnapshotStore extends Snapshots {
  /** Applies the changes of one commit and then notifies each affected subscriber once. Proportional to the change. */
  apply(commit: Commit): void;
}

/** Creates snapshots with empty views; `apply` fills them. */
export function createSnapshots(parts: SnapshotParts): SnapshotStore {
  return new GatewaySnapshots(parts);
}

class GatewaySnapshots implements SnapshotStore {
  readonly types: readonly ResourceType[];
  readonly #gateways: Collection<unknown>;
  /** In push order. */
  readonly #stores: readonly { readonly source: TypeSource; readonly views: ScopedViews }[];
  readonly #deltas = new DeltaCache();
  readonly #subscribers = new Map<string, Set<(snapshot: Snapshot) => void>>();

  constructor({ types, gateways, digest }: SnapshotParts) {
    const versions = new ShardVersions(digest);
    const ordered = types.toSorted((a, b) => a.type.pushOrder - b.type.pushOrder);
    this.#stores = ordered.map((source) => ({ source, views: new ScopedViews(source, versions) }));
    this.types = ordered.map(({ type }) => type);
    this.#gateways = gateways;
  }

  of(gateway: string): Snapshot {
    const views = new Map(this.#stores.map(({ source, views }) => [source.type.typeUrl, views.viewOf(gateway)]));
    return { gateway, exists: this.#gateways.get(gateway) !== undefined, views };
  }

  size(): number {
    return this.#stores.reduce((sum, { source }) => sum + source.resources.size, 0);
  }

  *gateways(): Iterable<string> {
    for (const [gateway] of this.#gateways.entries()) yield gateway;
  }

  diff(from: View, to: View): Delta {
    if (!(from instanceof ShardedView && to instanceof ShardedView)) throw new TypeError('a View of other snapshots');
    return this.#deltas.get(from, to);
  }

  empty(typeUrl: string): View | undefined {
    return this.#stores.find(({ source }) => source.type.typeUrl === typeUrl)?.views.empty;
  }

  subscribe(gateway: string, changed: (snapshot: Snapshot) => void): Stop {
    let subscribers = this.#subscribers.get(gateway);
    if (subscribers === undefined) {
      subscribers = new Set();
      this.#subscribers.set(gateway, subscribers);
    }
    // A wrapper per subscription: the same function may subscribe twice, and each subscription ends alone.
    const subscriber = (snapshot: Snapshot): void => changed(snapshot);
    subscribers.add(subscriber);
    return () => {
      subscribers.delete(subscriber);
      if (subscribers.size === 0 && this.#subscribers.get(gateway) === subscribers) this.#subscribers.delete(gateway);
    };
  }

  apply(commit: Commit): void {
    const affected = new Set<string>();
    for (const { source, views } of this.#stores) {
      const shards = changedShards(commit.changes(source.resources), (name) => views.shard(name));
      if (shards.size > 0) for (const gateway of views.replaceShards(shards)) affected.add(gateway);
    }
    for (const { key, before, after } of commit.changes(this.#gateways)) {
      for (const { source, views } of this.#stores) {
        const scope: ShardScope = after === undefined ? { kind: 'none' } : source.scopeOf(key);
        if (views.assignScope(key, scope)) affected.add(key);
      }
      if ((before === undefined) !== (after === undefined)) affected.add(key);
    }
    // After all views are replaced, so that every subscriber sees one consistent generation (rule E8).
    for (const gateway of affected) this.#notify(gateway);
  }

  #notify(gateway: string): void {
    const subscribers = this.#subscribers.get(gateway);
    if (subscribers === undefined) return;
    const snapshot = this.of(gateway);
    for (const subscriber of [...subscribers]) subscriber(snapshot);
  }
}

/** Applies changes to the shards that they affect; copies each of those shards once. */
function changedShards(
  changes: readonly Change<PlacedResource>[],
  current: (shard: string) => Shard | undefined,
): Map<string, Shard> {
  const edits = new Map<string, [string, EncodedResource | undefined][]>();
  const edit = (shard: string, name: string, resource: EncodedResource | undefined): void => {
    const list = edits.get(shard);
    if (list === undefined) edits.set(shard, [[name, resource]]);
    else list.push([name, resource]);
  };
  // Removals before additions: a name that moved from one key to another must stay.
  for (const { before, after } of changes) {
    const replaced = before?.shard === after?.shard && before?.resource.name === after?.resource.name;
    if (before !== undefined && !replaced) edit(before.shard, before.resource.name, undefined);
  }
  for (const { after } of changes) if (after !== undefined) edit(after.shard, after.resource.name, after.resource);
  return new Map([...edits].map(([name, list]) => [name, withEntries(current(name) ?? emptyTree(), list)]));
}
