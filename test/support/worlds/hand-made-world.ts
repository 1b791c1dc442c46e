import { createGraph } from '../../../src/graph/graph.ts';
import type { Source } from '../../../src/graph/model.ts';
import type { PlacedResource, ResourceType } from '../../../src/snapshot/model.ts';
import { createSnapshots, type ShardScope, type SnapshotStore } from '../../../src/snapshot/snapshot.ts';
import { mcpKgateway, versionOfAll } from '../../../src/wire/wire.ts';
import { config, rule, target } from './wire-values.ts';

export const targetType: string = mcpKgateway.targetType.typeUrl;
export const configType: string = mcpKgateway.configType.typeUrl;

/** The changes that are possible within `commit`. */
export interface WorldEdit {
  /** Sets the namespaces of a Gateway's scope; all, if none is given. */
  gateway(key: string, ...namespaces: string[]): void;
  noGateway(key: string): void;
  /** Sets a target; another port changes its content and version. */
  target(name: string, port?: number): void;
  noTarget(name: string): void;
  config(gateway: string, name: string, value?: string): void;
  noConfig(gateway: string, name: string): void;
}

/** The real snapshot store over resources that a test sets instead of a translation. */
export interface HandMadeWorld {
  readonly snapshots: SnapshotStore;
  commit(edit: (world: WorldEdit) => void): void;
}

/** @param registration overrides of the target type's registration */
export function createHandMadeWorld(registration: Partial<ResourceType> = {}): HandMadeWorld {
  const graph = createGraph();
  const targets: Source<PlacedResource> = graph.source({ name: 'targets' });
  const configs: Source<PlacedResource> = graph.source({ name: 'configs' });
  const gateways: Source<ShardScope> = graph.source({ name: 'gateways' });
  const shardOf = (name: string): string => name.slice(0, name.indexOf('/') + 1);
  const snapshots = createSnapshots({
    gateways,
    digest: versionOfAll,
    types: [
      {
        type: { ...mcpKgateway.targetType, ...registration },
        resources: targets,
        shardOf,
        scopeOf: (gateway) => gateways.get(gateway) ?? { kind: 'none' },
      },
      {
        type: mcpKgateway.configType,
        resources: configs,
        scopeOf: (gateway) => ({ kind: 'shards', shards: [gateway] }),
      },
    ],
  });
  const edits: WorldEdit = {
    gateway: (key, ...namespaces) =>
      gateways.set(
        key,
        namespaces.length === 0 ? { kind: 'all' } : { kind: 'shards', shards: namespaces.map((name) => `${name}/`) },
      ),
    noGateway: (key) => gateways.delete(key),
    target: (name, port = 80) =>
      targets.set(name, { shard: shardOf(name), resource: mcpKgateway.encodeTarget(target(name, { port })) }),
    noTarget: (name) => targets.delete(name),
    config: (gateway, name, value = 'me') =>
      configs.set(`${gateway}|${name}`, {
        shard: gateway,
        resource: mcpKgateway.encodeConfig(config('default', name, rule({ value }))),
      }),
    noConfig: (gateway, name) => configs.delete(`${gateway}|${name}`),
  };
  return { snapshots, commit: (edit) => snapshots.apply(graph.commit(() => edit(edits))) };
}
