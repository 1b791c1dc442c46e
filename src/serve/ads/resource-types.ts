import type { Labels } from '../../edges.ts';
import type { ResourceType, Snapshots, View } from '../../snapshot/model.ts';

/** A resource type that a stream watches, with what all streams share of it. */
export interface ServedType {
  readonly type: ResourceType;
  /** False for a type that this server does not have: its View stays empty. */
  readonly registered: boolean;
  readonly empty: View;
  /** Labels of the metrics by type. */
  readonly labels: Labels;
}

/** Returns the registered types by type URL. */
export function servedTypes(snapshots: Snapshots): ReadonlyMap<string, ServedType> {
  const served = new Map<string, ServedType>();
  for (const type of snapshots.types) {
    const { typeUrl } = type;
    const empty = snapshots.empty(typeUrl);
    if (empty !== undefined) served.set(typeUrl, { type, registered: true, empty, labels: { type: typeUrl } });
  }
  return served;
}

/**
 * Returns a type that is not registered. It never has resources, so a node that requests it gets one response that says
 * so, where the protocol variant can express it, and its stream and its other types continue (rule A7).
 */
export function unknownType(typeUrl: string): ServedType {
  const type = { typeUrl, fullState: false, legacyWildcard: true, pushOrder: Number.POSITIVE_INFINITY };
  const empty: View = { type, size: 0, get: () => undefined, resources: () => [], version: () => '' };
  return { type, registered: false, empty, labels: { type: 'unknown' } };
}
