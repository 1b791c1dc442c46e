import type { Change, Collection, Commit } from '../graph/model.ts';
import type { EncodedResource, ResourceType } from '../wire/model.ts';
import type { AnyView } from './delta.ts';
import type { PlacedResource, View } from './model.ts';
import { ScopedViews, type ShardScope } from './scoped-views.ts';
import { emptyTree, type Shard, withEntries } from './shards.ts';
import { type Digest, JointView, ShardedView, type ShardVersions } from './view.ts';

/** Resources of a type, and the scope of each Gateway in them. */
export interface ResourceSource {
  /** By any key. A resource changes its shard only together with its name. */
  readonly resources: Collection<PlacedResource>;
  /**
   * Returns the shard of a name, so that a view finds a resource without a search. Within one view of a type that is
   * computed always, the order of the shards must be the bytewise order of the names in them. Absent: no scope has more
   * than one shard.
   */
  readonly shardOf?: (name: string) => string;
  /** Returns the scope of an existing Gateway, by its key. */
  readonly scopeOf: (gateway: string) => ShardScope;
  /** True: each resource only allows, and its shard is the Gateway that it is for. To take one away is safe at any time. */
  readonly allows?: true;
}

/** One type of resources, its resources and the scope of each Gateway. */
export interface TypeSource extends ResourceSource {
  readonly type: ResourceType;
}

/** A type that is computed from the first request of a node on: until then it costs nothing. */
export interface LazyTypeSource {
  readonly type: ResourceType;
  /**
   * Computes the resources; called once. Each part has its own shards and scopes, and their names differ.
   *
   * @returns the parts, and the commit in which their collections were filled
   */
  readonly open: () => { readonly parts: readonly ResourceSource[]; readonly commit: Commit };
}

/** The views of one type, by Gateway. */
export interface TypeViews {
  readonly type: ResourceType;
  /** False until the type is computed. */
  readonly open: boolean;
  /** The number of resources. */
  readonly size: number;
  readonly empty: AnyView;
  viewOf(gateway: string): AnyView;
  /** Applies the changes of one commit; returns the Gateways whose view was replaced. */
  apply(commit: Commit): Iterable<string>;
  /** Sets the scope of a Gateway, or removes it. Returns true if its view was replaced. */
  assign(gateway: string, exists: boolean): boolean;
  /** Returns the views that are seen without what the commit takes away of what is allowed, where it does. */
  narrow(commit: Commit, seen: SeenViews): ReadonlyMap<string, AnyView>;
}

/** The view of a Gateway that its nodes see. */
type SeenViews = (gateway: string) => View | undefined;

/** The views of a type that is computed always. */
export class EagerViews implements TypeViews {
  readonly type: ResourceType;
  readonly open = true;
  readonly empty: AnyView;
  readonly #part: PartViews;

  constructor(source: TypeSource, versions: ShardVersions) {
    this.type = source.type;
    this.#part = new PartViews(source.type, source, versions);
    this.empty = this.#part.views.empty;
  }

  get size(): number {
    return this.#part.size;
  }

  viewOf(gateway: string): AnyView {
    return this.#part.views.viewOf(gateway);
  }

  apply(commit: Commit): Iterable<string> {
    return this.#part.apply(commit);
  }

  assign(gateway: string, exists: boolean): boolean {
    return this.#part.assign(gateway, exists);
  }

  narrow(commit: Commit, seen: SeenViews): ReadonlyMap<string, AnyView> {
    const narrowed = new Map<string, AnyView>();
    for (const [gateway, entries] of this.#part.takenAway(commit)) {
      const view = seen(gateway);
      if (view instanceof ShardedView) narrowed.set(gateway, view.replaced(gateway, entries));
    }
    return narrowed;
  }
}

/** The views of a type that is computed on demand. The view of a Gateway joins those of the type's parts. */
export class LazyViews implements TypeViews {
  readonly type: ResourceType;
  readonly empty: JointView;
  readonly #source: LazyTypeSource;
  readonly #versions: ShardVersions;
  readonly #digest: Digest;
  /** Undefined until the type is computed. */
  #parts: readonly PartViews[] | undefined;
  /** The views that were asked for, as long as their parts are current: one object for all nodes of a Gateway. */
  readonly #views = new Map<string, JointView>();

  constructor(source: LazyTypeSource, versions: ShardVersions, digest: Digest) {
    this.type = source.type;
    this.#source = source;
    this.#versions = versions;
    this.#digest = digest;
    this.empty = new JointView(source.type, [], digest);
  }

  get open(): boolean {
    return this.#parts !== undefined;
  }

  get size(): number {
    return (this.#parts ?? []).reduce((sum, { size }) => sum + size, 0);
  }

  /** Computes the type. @param gateways the keys of the Gateways that exist */
  request(gateways: Iterable<string>): void {
    if (this.#parts !== undefined) return;
    const { parts, commit } = this.#source.open();
    this.#parts = parts.map((part) => new PartViews(this.type, part, this.#versions));
    for (const part of this.#parts) part.apply(commit);
    for (const gateway of gateways) this.assign(gateway, true);
  }

  viewOf(gateway: string): JointView {
    const parts = (this.#parts ?? []).map(({ views }) => views.viewOf(gateway));
    const known = this.#views.get(gateway);
    if (known?.parts.every((part, position) => part === parts[position])) return known;
    if (parts.every(({ shards }) => shards.size === 0)) {
      this.#views.delete(gateway);
      return this.empty;
    }
    const view = new JointView(this.type, parts, this.#digest);
    this.#views.set(gateway, view);
    return view;
  }

  apply(commit: Commit): Iterable<string> {
    return new Set((this.#parts ?? []).flatMap((part) => [...part.apply(commit)]));
  }

  assign(gateway: string, exists: boolean): boolean {
    let replaced = false;
    if (!exists) this.#views.delete(gateway);
    for (const part of this.#parts ?? []) replaced = part.assign(gateway, exists) || replaced;
    return replaced;
  }

  narrow(commit: Commit, seen: SeenViews): ReadonlyMap<string, AnyView> {
    const narrowed = new Map<string, AnyView>();
    for (const [position, part] of (this.#parts ?? []).entries()) {
      for (const [gateway, entries] of part.takenAway(commit)) {
        const view = narrowed.get(gateway) ?? seen(gateway);
        if (!(view instanceof JointView)) continue;
        const parts = view.parts.map((own, at) => (at === position ? own.replaced(gateway, entries) : own));
        narrowed.set(gateway, new JointView(this.type, parts, this.#digest));
      }
    }
    return narrowed;
  }
}

/** Replacements of resources, by name; undefined: it is gone. */
type Replacements = [name: string, resource: EncodedResource | undefined][];

/** Some resources of a type with their scoped views. */
class PartViews {
  readonly views: ScopedViews;
  readonly #source: ResourceSource;

  constructor(type: ResourceType, source: ResourceSource, versions: ShardVersions) {
    this.#source = source;
    this.views = new ScopedViews({ type, ...(source.shardOf && { shardOf: source.shardOf }) }, versions);
  }

  get size(): number {
    return this.#source.resources.size;
  }

  apply(commit: Commit): ReadonlySet<string> {
    const shards = changedShards(commit.changes(this.#source.resources), (name) => this.views.shard(name));
    return shards.size === 0 ? noGateways : this.views.replaceShards(shards);
  }

  /** What a commit takes away of what is allowed, by Gateway. */
  takenAway(commit: Commit): ReadonlyMap<string, Replacements> {
    const byGateway = new Map<string, Replacements>();
    for (const { before, after } of this.#source.allows ? commit.changes(this.#source.resources) : []) {
      if (before === undefined) continue;
      const entries = byGateway.get(before.shard) ?? [];
      entries.push([before.resource.name, after?.resource]);
      byGateway.set(before.shard, entries);
    }
    return byGateway;
  }

  assign(gateway: string, exists: boolean): boolean {
    return this.views.assignScope(gateway, exists ? this.#source.scopeOf(gateway) : { kind: 'none' });
  }
}

const noGateways: ReadonlySet<string> = new Set();

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
