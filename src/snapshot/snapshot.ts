import type { Stop } from '../edges.ts';
import type { Change, Collection, Commit } from '../graph/model.ts';
import type { ResourceType } from '../wire/model.ts';
import { Differences } from './delta.ts';
import type { Difference, PlacedResource, Snapshot, Snapshots, View } from './model.ts';
import { type ScopeOf, Scopes } from './scoped-views.ts';
import { emptyTree, type Shard, withEntries } from './shards.ts';
import { type Digest, ShardDigest, ShardedView } from './view.ts';

export type { ScopeOf } from './scoped-views.ts';

/** One type of resources and the collections that say who is served what of it. */
interface TypeSource {
  readonly type: ResourceType;
  /** By any key; a resource changes its shard only by changing its name. */
  readonly resources: Collection<PlacedResource>;
  /**
   * The shard of a name, so that a View finds it without a search. Within one View, shards in their order hold names
   * in bytewise order. Absent: no scope has more than one shard.
   */
  readonly shardOf?: (name: string) => string;
  /** The scope of a Gateway that is served, by its key. */
  readonly scopeOf: (gateway: string) => ScopeOf;
}

export interface SnapshotSources {
  readonly types: readonly TypeSource[];
  /** An entry for every Gateway object that exists; a change of it makes the scopes be asked for again. */
  readonly gateways: Collection<unknown>;
  readonly digest: Digest;
}

/** The snapshots, and how a commit reaches them. */
export interface SnapshotStore extends Snapshots {
  /** Takes over what one commit changed and then tells the subscribers, each once. Proportional to the change. */
  apply(commit: Commit): void;
}

/** Snapshots of nothing; `apply` fills them. */
export function createSnapshots(sources: SnapshotSources): SnapshotStore {
  return new GatewaySnapshots(sources);
}

class GatewaySnapshots implements SnapshotStore {
  readonly types: readonly ResourceType[];
  readonly #gateways: Collection<unknown>;
  readonly #stores: readonly { readonly source: TypeSource; readonly scopes: Scopes }[];
  readonly #differences = new Differences();
  readonly #subscribers = new Map<string, Set<(snapshot: Snapshot) => void>>();

  constructor({ types, gateways, digest }: SnapshotSources) {
    const shardDigest = new ShardDigest(digest);
    const ordered = types.toSorted((a, b) => a.type.order - b.type.order);
    this.#stores = ordered.map((source) => ({ source, scopes: new Scopes(source, shardDigest) }));
    this.types = ordered.map(({ type }) => type);
    this.#gateways = gateways;
  }

  of(gateway: string): Snapshot {
    const views = new Map(this.#stores.map(({ source, scopes }) => [source.type.typeUrl, scopes.viewOf(gateway)]));
    return { gateway, exists: this.#gateways.get(gateway) !== undefined, views };
  }

  size(): number {
    return this.#stores.reduce((sum, { source }) => sum + source.resources.size, 0);
  }

  *gateways(): Iterable<string> {
    for (const [gateway] of this.#gateways.entries()) yield gateway;
  }

  difference(from: View, to: View): Difference {
    if (!(from instanceof ShardedView && to instanceof ShardedView)) throw new TypeError('a View of other snapshots');
    return this.#differences.between(from, to);
  }

  empty(typeUrl: string): View | undefined {
    return this.#stores.find(({ source }) => source.type.typeUrl === typeUrl)?.scopes.empty;
  }

  subscribe(gateway: string, changed: (snapshot: Snapshot) => void): Stop {
    let subscribers = this.#subscribers.get(gateway);
    if (subscribers === undefined) {
      subscribers = new Set();
      this.#subscribers.set(gateway, subscribers);
    }
    // A wrapper of its own: the same function may subscribe twice, and each subscription ends alone.
    const subscriber = (snapshot: Snapshot): void => changed(snapshot);
    subscribers.add(subscriber);
    return () => {
      subscribers.delete(subscriber);
      if (subscribers.size === 0 && this.#subscribers.get(gateway) === subscribers) this.#subscribers.delete(gateway);
    };
  }

  apply(commit: Commit): void {
    const touched = new Set<string>();
    for (const { source, scopes } of this.#stores) {
      const shards = changedShards(commit.changes(source.resources), (name) => scopes.shard(name));
      if (shards.size > 0) for (const gateway of scopes.replace(shards)) touched.add(gateway);
    }
    for (const { key, before, after } of commit.changes(this.#gateways)) {
      for (const { source, scopes } of this.#stores) {
        const scope: ScopeOf = after === undefined ? { kind: 'none' } : source.scopeOf(key);
        if (scopes.assign(key, scope)) touched.add(key);
      }
      if ((before === undefined) !== (after === undefined)) touched.add(key);
    }
    // Only now, so that everybody sees one consistent generation (rule E8).
    for (const gateway of touched) this.#tell(gateway);
  }

  #tell(gateway: string): void {
    const subscribers = this.#subscribers.get(gateway);
    if (subscribers === undefined) return;
    const snapshot = this.of(gateway);
    for (const subscriber of [...subscribers]) subscriber(snapshot);
  }
}

/** The shards that these changes make, each copied once. */
function changedShards(
  changes: readonly Change<PlacedResource>[],
  current: (shard: string) => Shard | undefined,
): Map<string, Shard> {
  const edits = new Map<string, [string, PlacedResource['resource'] | undefined][]>();
  const edit = (shard: string, name: string, resource: PlacedResource['resource'] | undefined): void => {
    const list = edits.get(shard);
    if (list === undefined) edits.set(shard, [[name, resource]]);
    else list.push([name, resource]);
  };
  // Removals first: a name that moved from one key to another is there afterwards.
  for (const { before, after } of changes) {
    const replaced = before?.shard === after?.shard && before?.resource.name === after?.resource.name;
    if (before !== undefined && !replaced) edit(before.shard, before.resource.name, undefined);
  }
  for (const { after } of changes) if (after !== undefined) edit(after.shard, after.resource.name, after.resource);
  return new Map([...edits].map(([name, list]) => [name, withEntries(current(name) ?? emptyTree(), list)]));
}
