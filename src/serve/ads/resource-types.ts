import type { Labels } from '../../edges.ts';
import type { ResourceType, Snapshots, View } from '../../snapshot/model.ts';

/** A type as a stream sees it; of one that nobody registered there is nothing, for ever. */
export interface ServedType {
  readonly type: ResourceType;
  readonly registered: boolean;
  readonly empty: View;
  /** What its counters are told by. */
  readonly labels: Labels;
}

/** The registered types by URL, one object of each for all streams. */
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
 * A type that nobody registered: nothing of it exists, ever. So a node that asks for it gets one answer that says so,
 * where the variant has a way to say it, and its stream and its other types live on (rule A7).
 */
export function unknownType(typeUrl: string): ServedType {
  const type = { typeUrl, fullState: false, legacyWildcard: true, pushOrder: Number.POSITIVE_INFINITY };
  const empty: View = { type, size: 0, get: () => undefined, resources: () => [], version: () => '' };
  return { type, registered: false, empty, labels: { type: 'unknown' } };
}
