import type { Labels } from '../../edges.ts';
import type { Node } from '../../gen/envoy/config/core/v3/base.ts';
import type { Delta, EncodedResource, NodeType, ResourceType, Snapshots, View } from '../../snapshot/model.ts';

/** A resource type that a stream watches, with what all streams share of it. */
export interface ServedType {
  readonly type: ResourceType;
  /** False for a type that this server does not have: its View stays empty. */
  readonly registered: boolean;
  readonly empty: View;
  /** Labels of the metrics by type. */
  readonly labels: Labels;
  /** Set for a type of which each node has a View of its own: returns the type with that View. */
  readonly forNode?: (node: Node) => ServedType;
  /** The View of this node, which no snapshot has, and the deltas of such Views. Never changes. */
  readonly own?: { readonly view: View; diff(from: View, to: View): Delta };
}

/**
 * Returns the registered types by type URL.
 *
 * @param nodeTypes types that no snapshot has: each node has a View of its own
 */
export function servedTypes(snapshots: Snapshots, nodeTypes: readonly NodeType[]): ReadonlyMap<string, ServedType> {
  const served = new Map<string, ServedType>();
  for (const type of snapshots.types) {
    const { typeUrl } = type;
    const empty = snapshots.empty(typeUrl);
    if (empty !== undefined) served.set(typeUrl, { type, registered: true, empty, labels: { type: typeUrl } });
  }
  for (const { type, resourceOf } of nodeTypes) {
    const common = { type, registered: true, empty: nodeView(type, undefined), labels: { type: type.typeUrl } };
    const forNode = (node: Node): ServedType => ({
      ...common,
      own: { view: nodeView(type, resourceOf(node)), diff: diffNodeViews },
    });
    served.set(type.typeUrl, { ...common, forNode });
  }
  return served;
}

/** A View of one resource, or of none. */
function nodeView(type: ResourceType, resource: EncodedResource | undefined): View {
  return {
    type,
    size: resource === undefined ? 0 : 1,
    get: (name) => (name === resource?.name ? resource : undefined),
    resources: () => (resource === undefined ? [] : [resource]),
    version: () => resource?.version ?? '',
  };
}

function diffNodeViews(from: View, to: View): Delta {
  return {
    changed: [...to.resources()].filter(({ name, version }) => from.get(name)?.version !== version),
    removed: [...from.resources()].flatMap(({ name }) => (to.get(name) === undefined ? [name] : [])),
  };
}

/**
 * Returns a type that is not registered. It never has resources, so a node that requests it gets one response that says
 * so, where the protocol variant can express it, and its stream and its other types continue (rule A7).
 */
export function unknownType(typeUrl: string): ServedType {
  const type = { typeUrl, fullState: false, legacyWildcard: true, pushOrder: Number.POSITIVE_INFINITY };
  return { type, registered: false, empty: nodeView(type, undefined), labels: { type: 'unknown' } };
}
