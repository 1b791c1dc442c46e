import type { Collection, Graph } from '../../graph/model.ts';
import type { PlacedResource } from '../../snapshot/model.ts';
import type { TypeSource } from '../../snapshot/snapshot.ts';
import type { Translation } from '../../translate/model.ts';
import type { EncodedResource } from '../../wire/model.ts';
import { mcpKgateway, sameEncoding } from '../../wire/wire.ts';
import { gatewayScope, namespaceShard, samePlace, targetScope } from './placement.ts';

/** Derives the resources of the dialect of spring 2025. A Config is encoded once for all Gateways that it is attached to. */
export function deriveMcpKgateway(
  graph: Graph,
  translation: Translation,
): {
  readonly types: readonly TypeSource[];
  readonly encoded: Readonly<Record<'targets' | 'configs', Collection<EncodedResource>>>;
} {
  const targets = graph.derive(translation.targets, (target) => mcpKgateway.encodeTarget(target), {
    name: 'wire/targets',
    equals: sameEncoding,
  });
  const configs = graph.derive(translation.configs, (config) => mcpKgateway.encodeConfig(config), {
    name: 'wire/configs',
    equals: sameEncoding,
  });
  const placedTargets = graph.derive(
    targets,
    (resource): PlacedResource => ({ shard: namespacePrefix(resource.name), resource }),
    { name: 'wire/placed-targets', equals: samePlace },
  );
  const placedConfigs = graph.derive(
    translation.attachments,
    ({ gateway, policy }, context): PlacedResource | undefined => {
      const resource = context.get(configs, policy);
      return resource && { shard: gateway, resource };
    },
    { name: 'wire/placed-configs', equals: samePlace },
  );
  const types: readonly TypeSource[] = [
    {
      type: mcpKgateway.targetType,
      resources: placedTargets,
      shardOf: namespacePrefix,
      scopeOf: (gateway) => targetScope(translation.gateways.get(gateway)),
    },
    {
      type: mcpKgateway.configType,
      resources: placedConfigs,
      allows: true,
      scopeOf: (gateway) => gatewayScope(gateway, translation.gateways.get(gateway)),
    },
  ];
  return { types, encoded: { targets, configs } };
}

/** The shard of a target by its name. */
function namespacePrefix(name: string): string {
  return namespaceShard(name.slice(0, Math.max(0, name.indexOf('/'))));
}
