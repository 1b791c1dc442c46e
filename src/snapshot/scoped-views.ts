import type { ResourceType } from '../wire/model.ts';
import { emptyTree, type Shard, type Shards, withEntries } from './shards.ts';
import { type ShardDigest, ShardedView } from './view.ts';

/** Which shards of a type a Gateway is served. */
export type ScopeOf =
  | { readonly kind: 'none' }
  | { readonly kind: 'all' }
  | { readonly kind: 'shards'; readonly shards: readonly string[] };

interface Scope {
  readonly shards: ReadonlySet<string> | 'all';
  readonly gateways: Set<string>;
  view: ShardedView;
}

/** How the resources of one type are cut into shards. */
export interface Sharding {
  readonly type: ResourceType;
  /** The shard that a name belongs to; for one name always the same. Absent: no scope has more than one shard. */
  readonly shardOf?: (name: string) => string;
}

/**
 * The Views of one type: one per distinct scope, however many Gateways share it. A changed shard touches the scopes
 * that contain it and no other shard.
 */
export class Scopes {
  readonly #sharding: Sharding;
  readonly #digest: ShardDigest;
  readonly #scopes = new Map<string, Scope>();
  readonly #scopeOfGateway = new Map<string, string>();
  /** Shard → keys of the scopes that list it, whether or not the shard exists now. */
  readonly #listing = new Map<string, Set<string>>();
  #all: Shards = emptyTree();
  readonly empty: ShardedView;

  constructor(sharding: Sharding, digest: ShardDigest) {
    this.#sharding = sharding;
    this.#digest = digest;
    this.empty = this.#viewOf(emptyTree());
  }

  viewOf(gateway: string): ShardedView {
    const key = this.#scopeOfGateway.get(gateway);
    return (key === undefined ? undefined : this.#scopes.get(key)?.view) ?? this.empty;
  }

  shard(name: string): Shard | undefined {
    return this.#all.get(name);
  }

  /** Replaces shards; an empty one is removed. Returns the Gateways whose View is another now. */
  replace(shards: ReadonlyMap<string, Shard>): Set<string> {
    const entries = [...shards].map(([name, shard]) => [name, shard.size === 0 ? undefined : shard] as const);
    this.#all = withEntries(this.#all, entries);
    const touched = new Set<string>();
    for (const [key, changed] of this.#changedByScope(entries)) {
      const scope = this.#scopes.get(key);
      if (scope === undefined) continue;
      scope.view = this.#viewOf(scope.shards === 'all' ? this.#all : withEntries(scope.view.shards, changed));
      for (const gateway of scope.gateways) touched.add(gateway);
    }
    return touched;
  }

  /** Puts a Gateway into a scope. Returns whether its View is another now. */
  assign(gateway: string, scope: ScopeOf): boolean {
    const before = this.viewOf(gateway);
    const key = keyOf(scope);
    if (this.#scopeOfGateway.get(gateway) !== key) {
      this.#leave(gateway);
      if (scope.kind !== 'none') this.#enter(gateway, key, scope);
    }
    return this.viewOf(gateway) !== before;
  }

  #changedByScope(
    entries: readonly (readonly [string, Shard | undefined])[],
  ): Map<string, [string, Shard | undefined][]> {
    const changed = new Map<string, [string, Shard | undefined][]>();
    const note = (key: string, name: string, shard: Shard | undefined): void => {
      const list = changed.get(key);
      if (list === undefined) changed.set(key, [[name, shard]]);
      else list.push([name, shard]);
    };
    for (const [name, shard] of entries) {
      if (this.#scopes.has(allKey)) note(allKey, name, shard);
      for (const key of this.#listing.get(name) ?? []) note(key, name, shard);
    }
    return changed;
  }

  #enter(gateway: string, key: string, scope: Exclude<ScopeOf, { kind: 'none' }>): void {
    let entry = this.#scopes.get(key);
    if (entry === undefined) {
      entry = this.#open(key, scope);
      this.#scopes.set(key, entry);
    }
    entry.gateways.add(gateway);
    this.#scopeOfGateway.set(gateway, key);
  }

  #open(key: string, scope: Exclude<ScopeOf, { kind: 'none' }>): Scope {
    if (scope.kind === 'all') return { shards: 'all', gateways: new Set(), view: this.#viewOf(this.#all) };
    for (const name of scope.shards) {
      const listing = this.#listing.get(name);
      if (listing === undefined) this.#listing.set(name, new Set([key]));
      else listing.add(key);
    }
    const members = scope.shards.map((name) => [name, this.#all.get(name)] as const);
    const view = this.#viewOf(withEntries(emptyTree<Shard>(), members));
    return { shards: new Set(scope.shards), gateways: new Set(), view };
  }

  #leave(gateway: string): void {
    const key = this.#scopeOfGateway.get(gateway);
    if (key === undefined) return;
    this.#scopeOfGateway.delete(gateway);
    const scope = this.#scopes.get(key);
    scope?.gateways.delete(gateway);
    if (scope === undefined || scope.gateways.size > 0) return;
    this.#scopes.delete(key);
    if (scope.shards === 'all') return;
    for (const name of scope.shards) {
      const listing = this.#listing.get(name);
      listing?.delete(key);
      if (listing?.size === 0) this.#listing.delete(name);
    }
  }

  #viewOf(shards: Shards): ShardedView {
    return new ShardedView(this.#sharding.type, shards, this.#sharding.shardOf, this.#digest);
  }
}

const allKey = 'all';

/** Shard names contain no line break, so the key is injective. */
function keyOf(scope: ScopeOf): string {
  switch (scope.kind) {
    case 'none':
      return 'none';
    case 'all':
      return allKey;
    case 'shards':
      return `shards\n${scope.shards.join('\n')}`;
  }
}
