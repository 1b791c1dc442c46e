import type { PlacedResource } from '../../snapshot/model.ts';
import type { ShardScope } from '../../snapshot/snapshot.ts';
import type { GatewayState } from '../../translate/model.ts';
import { sameEncoding } from '../../wire/wire.ts';

/*
 * Where resources lie: those of targets in a shard per namespace, those of a Gateway in a shard of its own. So Gateways
 * with the same namespaces share what they are served of them.
 */

/** Returns the shard of a namespace's targets, with the slash: sorted by shard, `<namespace>/…` is sorted by name. */
export function namespaceShard(namespace: string): string {
  return `${namespace}/`;
}

/** The shards of the targets that a Gateway is served. */
export function targetScope(state: GatewayState | undefined): ShardScope {
  if (state?.kind !== 'served') return { kind: 'none' };
  const { scope } = state;
  return scope.kind === 'namespaces' ? { kind: 'shards', shards: scope.namespaces.map(namespaceShard) } : scope;
}

/** The shard of what a served Gateway has for itself. */
export function gatewayScope(gateway: string, state: GatewayState | undefined): ShardScope {
  return state?.kind === 'served' ? { kind: 'shards', shards: [gateway] } : { kind: 'none' };
}

/** Compares two placed resources: a change stops where they are equal. */
export function samePlace(a: PlacedResource, b: PlacedResource): boolean {
  return a.shard === b.shard && sameEncoding(a.resource, b.resource);
}
