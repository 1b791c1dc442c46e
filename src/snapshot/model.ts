import type { Stop } from '../edges.ts';
import type { EncodedResource, ResourceType } from '../wire/model.ts';

/** What Views consist of; whoever reads snapshots needs no other door. */
export type { EncodedResource, ResourceType } from '../wire/model.ts';

/** A resource and the shard it stands in: the namespace of a target, the Gateway of a Config. */
export interface PlacedResource {
  readonly shard: string;
  readonly resource: EncodedResource;
}

/**
 * Everything of one type that one Gateway is served at one epoch. Immutable: whoever holds it can list it and compare
 * it with a later one for as long as it likes. Two Gateways with the same scope share one View.
 */
export interface View {
  readonly type: ResourceType;
  readonly size: number;
  get(name: string): EncodedResource | undefined;
  /** In bytewise order of the names. */
  resources(): Iterable<EncodedResource>;
  /** Derived from the members' names and versions; computed when first asked for. */
  version(): string;
}

/** What makes one View out of another. Both in bytewise order of the names. */
export interface Difference {
  readonly changed: readonly EncodedResource[];
  readonly removed: readonly string[];
}

/** What a Gateway is served right now. */
export interface Snapshot {
  /** `<namespace>/<name>`. */
  readonly gateway: string;
  /** Whether a Gateway object of that name exists, whosever it is. */
  readonly exists: boolean;
  /** By type URL; every registered type has a View, an empty one at least. */
  readonly views: ReadonlyMap<string, View>;
}

/** The snapshots of all Gateways. */
export interface Snapshots {
  /** The registered types, in the order of pushes. */
  readonly types: readonly ResourceType[];
  /** Never fails: a Gateway that nobody knows has empty Views. */
  of(gateway: string): Snapshot;
  /** How many resources there are, of all types; no View has more. */
  size(): number;
  /** The keys of the Gateway objects that exist. */
  gateways(): Iterable<string>;
  /** Proportional to what differs; the same pair of Views is compared once. */
  difference(from: View, to: View): Difference;
  /** A View of the type without members: what a new node holds. */
  empty(typeUrl: string): View | undefined;
  /** Calls `changed` after each commit that changed this Gateway's snapshot, once. */
  subscribe(gateway: string, changed: (snapshot: Snapshot) => void): Stop;
}
