import type { ResourceType } from '../wire/model.ts';
import { emptyTree, type Shard, type Shards, withEntries } from './shards.ts';
import { ShardedView, type ShardVersions } from './view.ts';

/** The shards of a type that a Gateway is served. */
export type ShardScope =
  | { readonly kind: 'none' }
  | { readonly kind: 'all' }
  | { readonly kind: 'shards'; readonly shards: readonly string[] };

type NonEmptyScope = Exclude<ShardScope, { kind: 'none' }>;

/** The assignment of the resources of one type to shards. */
export interface Sharding {
  readonly type: ResourceType;
  /** Returns the shard of a name, always the same one. Absent: no scope has more than one shard. */
  readonly shardOf?: (name: string) => string;
}

/** A scope that at least one Gateway has, with its view. */
interface ScopedView {
  readonly shards: ReadonlySet<string> | 'all';
  readonly gateways: Set<string>;
  view: ShardedView;
}

/**
 * The views of one type: one per distinct scope, shared by all Gateways with that scope. A changed shard updates the
 * views of the scopes that contain it, and in them no other shard.
 */
export class ScopedViews {
  readonly #sharding: Sharding;
  readonly #versions: ShardVersions;
  /** By scope key. */
  readonly #scopes = new Map<string, ScopedView>();
  readonly #scopeOfGateway = new Map<string, string>();
  /** Shard → keys of the scopes that list it, also for a shard that does not exist yet. */
  readonly #scopesOfShard = new Map<string, Set<string>>();
  #all: Shards = emptyTree();
  readonly empty: ShardedView;

  constructor(sharding: Sharding, versions: ShardVersions) {
    this.#sharding = sharding;
    this.#versions = versions;
    this.empty = this.#createView(emptyTree());
  }

  viewOf(gateway: string): ShardedView {
    const key = this.#scopeOfGateway.get(gateway);
    return (key === undefined ? undefined : this.#scopes.get(key)?.view) ?? this.empty;
  }

  shard(name: string): Shard | undefined {
    return this.#all.get(name);
  }

  /** Replaces shards; an empty one is removed. Returns the Gateways whose view was replaced. */
  replaceShards(shards: ReadonlyMap<string, Shard>): Set<string> {
    const entries = [...shards].map(([name, shard]) => [name, shard.size === 0 ? undefined : shard] as const);
    this.#all = withEntries(this.#all, entries);
    const gateways = new Set<string>();
    for (const [key, changed] of this.#groupByScope(entries)) {
      const scope = this.#scopes.get(key);
      if (scope === undefined) continue;
      scope.view = this.#createView(scope.shards === 'all' ? this.#all : withEntries(scope.view.shards, changed));
      for (const gateway of scope.gateways) gateways.add(gateway);
    }
    return gateways;
  }

  /** Sets the scope of a Gateway. Returns true if its view was replaced. */
  assignScope(gateway: string, scope: ShardScope): boolean {
    const before = this.viewOf(gateway);
    const key = keyOf(scope);
    if (this.#scopeOfGateway.get(gateway) !== key) {
      this.#removeGateway(gateway);
      if (scope.kind !== 'none') this.#addGateway(gateway, key, scope);
    }
    return this.viewOf(gateway) !== before;
  }

  #groupByScope(
    entries: readonly (readonly [string, Shard | undefined])[],
  ): Map<string, [string, Shard | undefined][]> {
    const byScope = new Map<string, [string, Shard | undefined][]>();
    const add = (key: string, name: string, shard: Shard | undefined): void => {
      const list = byScope.get(key);
      if (list === undefined) byScope.set(key, [[name, shard]]);
      else list.push([name, shard]);
    };
    for (const [name, shard] of entries) {
      if (this.#scopes.has(allKey)) add(allKey, name, shard);
      for (const key of this.#scopesOfShard.get(name) ?? []) add(key, name, shard);
    }
    return byScope;
  }

  #addGateway(gateway: string, key: string, scope: NonEmptyScope): void {
    let entry = this.#scopes.get(key);
    if (entry === undefined) {
      entry = this.#createScope(key, scope);
      this.#scopes.set(key, entry);
    }
    entry.gateways.add(gateway);
    this.#scopeOfGateway.set(gateway, key);
  }

  #createScope(key: string, scope: NonEmptyScope): ScopedView {
    if (scope.kind === 'all') return { shards: 'all', gateways: new Set(), view: this.#createView(this.#all) };
    for (const name of scope.shards) {
      const keys = this.#scopesOfShard.get(name);
      if (keys === undefined) this.#scopesOfShard.set(name, new Set([key]));
      else keys.add(key);
    }
    const members = scope.shards.map((name) => [name, this.#all.get(name)] as const);
    const view = this.#createView(withEntries(emptyTree<Shard>(), members));
    return { shards: new Set(scope.shards), gateways: new Set(), view };
  }

  /** Removes a Gateway from its scope, and the scope with its last Gateway. */
  #removeGateway(gateway: string): void {
    const key = this.#scopeOfGateway.get(gateway);
    if (key === undefined) return;
    this.#scopeOfGateway.delete(gateway);
    const scope = this.#scopes.get(key);
    scope?.gateways.delete(gateway);
    if (scope === undefined || scope.gateways.size > 0) return;
    this.#scopes.delete(key);
    if (scope.shards === 'all') return;
    for (const name of scope.shards) {
      const keys = this.#scopesOfShard.get(name);
      keys?.delete(key);
      if (keys?.size === 0) this.#scopesOfShard.delete(name);
    }
  }

  #createView(shards: Shards): ShardedView {
    return new ShardedView(this.#sharding.type, shards, this.#sharding.shardOf, this.#versions);
  }
}

const allKey = 'all';

/** Returns the key of a scope. Shard names contain no line break, so different lists of shards have different keys. */
function keyOf(scope: ShardScope): string {
  switch (scope.kind) {
    case 'none':
      return 'none';
    case 'all':
      return allKey;
    case 'shards':
      return `shards\n${scope.shards.join('\n')}`;
  }
}
