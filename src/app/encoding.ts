import type { Commit, Graph } from '../graph/model.ts';
import type { PlacedResource } from '../snapshot/model.ts';
import { createSnapshots, type ShardScope, type SnapshotStore } from '../snapshot/snapshot.ts';
import type { GatewayState, Translation } from '../translate/model.ts';
import type { Dialect } from '../wire/model.ts';
import { sameEncoding, versionOfAll } from '../wire/wire.ts';

/** The stages after the translation: encoded resources, and the snapshots of them. */
export interface Encoding {
  readonly snapshots: SnapshotStore;
  /** Counts the resources that a commit encoded, by type URL. */
  encodes(commit: Commit): ReadonlyMap<string, number>;
}

/**
 * Appends the encoding to the graph, so that it is incremental like the translation. A change that leaves the encoded
 * bytes equal is not sent, and a Config is encoded once for all Gateways to which it is attached.
 */
export function encode(graph: Graph, translation: Translation, dialect: Dialect): Encoding {
  const targets = graph.derive(translation.targets, (target) => dialect.encodeTarget(target), {
    name: 'wire/targets',
    equals: sameEncoding,
  });
  const configs = graph.derive(translation.configs, (config) => dialect.encodeConfig(config), {
    name: 'wire/configs',
    equals: sameEncoding,
  });
  const placedTargets = graph.derive(
    targets,
    (resource): PlacedResource => ({ shard: namespacePrefix(resource.name), resource }),
    {
      name: 'wire/placed-targets',
      equals: samePlace,
    },
  );
  const placedConfigs = graph.derive(
    translation.attachments,
    ({ gateway, policy }, context): PlacedResource | undefined => {
      const resource = context.get(configs, policy);
      return resource && { shard: gateway, resource };
    },
    { name: 'wire/placed-configs', equals: samePlace },
  );
  const snapshots = createSnapshots({
    gateways: translation.gateways,
    digest: versionOfAll,
    types: [
      {
        type: dialect.targetType,
        resources: placedTargets,
        shardOf: namespacePrefix,
        scopeOf: (gateway) => targetScope(translation.gateways.get(gateway)),
      },
      {
        type: dialect.configType,
        resources: placedConfigs,
        scopeOf: (gateway) => configScope(gateway, translation.gateways.get(gateway)),
      },
    ],
  });
  const encoded = new Map([
    [dialect.targetType.typeUrl, targets],
    [dialect.configType.typeUrl, configs],
  ]);
  return {
    snapshots,
    encodes: (commit) =>
      new Map(
        [...encoded].map(([typeUrl, collection]) => [
          typeUrl,
          commit.changes(collection).filter(({ after }) => after !== undefined).length,
        ]),
      ),
  };
}

/** The namespace of a name, with the slash: so sorting by shard and then by name is the bytewise order of names. */
function namespacePrefix(name: string): string {
  return name.slice(0, name.indexOf('/') + 1);
}

function targetScope(state: GatewayState | undefined): ShardScope {
  if (state?.kind !== 'served') return { kind: 'none' };
  const { scope } = state;
  return scope.kind === 'namespaces'
    ? { kind: 'shards', shards: scope.namespaces.map((namespace) => `${namespace}/`) }
    : scope;
}

function configScope(gateway: string, state: GatewayState | undefined): ShardScope {
  return state?.kind === 'served' ? { kind: 'shards', shards: [gateway] } : { kind: 'none' };
}

function samePlace(a: PlacedResource, b: PlacedResource): boolean {
  return a.shard === b.shard && sameEncoding(a.resource, b.resource);
}
