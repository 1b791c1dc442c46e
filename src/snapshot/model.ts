import type { Stop } from '../edges.ts';
import type { EncodedResource, ResourceType } from '../wire/model.ts';

/** The members of views, so that readers of snapshots need no import of wire/. */
export type { EncodedResource, NodeType, ResourceType, UpdateOrder } from '../wire/model.ts';

/** A resource and its shard: the namespace of a Target, the Gateway of a Config. */
export interface PlacedResource {
  readonly shard: string;
  readonly resource: EncodedResource;
}

/**
 * All resources of one type that one Gateway is served at one epoch. Immutable: it can be listed, and compared with a
 * later one, for as long as it is referenced. Gateways with the same scope share one view.
 */
export interface View {
  readonly type: ResourceType;
  readonly size: number;
  get(name: string): EncodedResource | undefined;
  /** In a fixed order: bytewise by name for a type that is computed always. */
  resources(): Iterable<EncodedResource>;
  /** A hash of the members' names and versions; computed by the first call. */
  version(): string;
}

/**
 * The difference of two views: applied to the first, it gives the second. Lists are in bytewise order of the names, part
 * by part for a type that has parts.
 */
export interface Delta {
  readonly changed: readonly EncodedResource[];
  readonly removed: readonly string[];
}

/** The views that a Gateway is served after one commit. */
export interface Snapshot {
  /** `<namespace>/<name>`. */
  readonly gateway: string;
  /** True if a Gateway object of that name exists, also one of another controller. */
  readonly exists: boolean;
  /** By type URL. Every registered type has a view, which may be empty, but for one that no node has requested yet. */
  readonly views: ReadonlyMap<string, View>;
}

/** The snapshots of all Gateways. */
export interface Snapshots {
  /** The registered types, in push order. */
  readonly types: readonly ResourceType[];
  /** Returns the current snapshot of a Gateway; that of an unknown Gateway has empty views. Never throws. */
  of(gateway: string): Snapshot;
  /** Counts the resources of all types. No view has more members. */
  size(): number;
  /** The keys of the Gateway objects that exist. */
  gateways(): Iterable<string>;
  /**
   * Computes the resources of a type that is computed on demand, from now on. Call it when a node requests the type, and
   * before the snapshot is read for it. Repeated calls, and calls for other types, do nothing.
   *
   * @returns false if it cannot be computed now, because a change is applied in part
   */
  request(typeUrl: string): boolean;
  /** Computes the delta of two views in time proportional to it; repeated calls for one pair return one object. */
  diff(from: View, to: View): Delta;
  /** A view of the type without members: the state of a new client. Undefined for a type that is not registered. */
  empty(typeUrl: string): View | undefined;
  /** Calls `changed` once after each change that is complete and changed this Gateway's snapshot. */
  subscribe(gateway: string, changed: (snapshot: Snapshot) => void): Stop;
}
