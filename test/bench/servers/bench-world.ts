import { createPipeline, type Pipeline } from '../../../src/app/pipeline.ts';
import type { Snapshots } from '../../../src/snapshot/model.ts';
import type { Batch } from '../../../src/source/model.ts';
import { agentgateway } from '../../../src/wire/wire.ts';
import { createRecordedCounters } from '../../support/edges/recorded-counters.ts';
import { createRecordedLog } from '../../support/edges/recorded-log.ts';
import { createHandMadeWorld, targetType } from '../../support/worlds/hand-made-world.ts';
import { defaultSettings, type Manifest, readManifest } from '../../support/worlds/translated-world.ts';

/** The Gateway `default/gw` as servers of a bench serve it, and one change of it. */
export interface BenchWorld {
  readonly snapshots: Snapshots;
  /** The type that its nodes request. */
  readonly typeUrl: string;
  /** Makes the change, another one each time. */
  change(): void;
}

/**
 * What changes: a target in the dialect of spring 2025; or in that of agentgateway an address, a policy, or a Service
 * that appears and disappears again.
 */
export type ChangeKind = 'target' | 'address' | 'policy' | 'service';

/** Creates the world of a bench with this many targets. */
export function createBenchWorld(kind: ChangeKind, targets: number): BenchWorld {
  return kind === 'target' ? createTargetWorld(targets) : createAgentgatewayWorld(targets, kind);
}

function createTargetWorld(targets: number): BenchWorld {
  const { snapshots, commit } = createHandMadeWorld();
  commit((edit) => {
    edit.gateway('default/gw');
    for (let index = 0; index < targets; index += 1) edit.target(`ns-${index % 10}/tool-${index}`);
  });
  let changes = 0;
  return {
    snapshots,
    typeUrl: typeOf('target'),
    change() {
      changes += 1;
      commit((edit) => edit.target('ns-0/tool-0', 1000 + changes));
    },
  };
}

/** The type that the nodes of a world request. */
export function typeOf(kind: ChangeKind): string {
  return kind === 'target' ? targetType : agentgateway.resourceType.typeUrl;
}

/** The type that these nodes request before it: a node of agentgateway looks for itself. */
export function firstTypeOf(kind: ChangeKind): string | undefined {
  return kind === 'target' ? undefined : agentgateway.addressType.type.typeUrl;
}

const gatewayApi = 'gateway.networking.k8s.io/v1';

/** The whole pipeline over a Gateway, this many Services and a policy, served in the dialect of agentgateway. */
function createAgentgatewayWorld(targets: number, kind: Exclude<ChangeKind, 'target'>): BenchWorld {
  const pipeline = createPipeline(defaultSettings, { log: createRecordedLog(), counters: createRecordedCounters() });
  const services = Array.from({ length: targets }, (_, index) => service(`ns-${index % 10}`, `tool-${index}`, 80));
  deliver(pipeline, [gatewayClass, gateway, policy('nobody'), ...services], 'named');
  const typeUrl = typeOf(kind);
  pipeline.snapshots.request(typeUrl);
  let changes = 0;
  return {
    snapshots: pipeline.snapshots,
    typeUrl,
    change() {
      changes += 1;
      if (kind === 'address') deliver(pipeline, [service('ns-0', 'tool-0', 1000 + changes)]);
      else if (kind === 'policy') deliver(pipeline, [policy(`user-${changes}`)]);
      else deliver(pipeline, [service('ns-0', 'appears', 80, changes % 2 === 1)]);
    },
  };
}

function deliver(pipeline: Pipeline, manifests: readonly Manifest[], unlisted?: Batch['unlistedNamespaces']): void {
  const changes = manifests.map((manifest) => {
    const { kind, key, resource } = readManifest(manifest);
    return { kind, key, resource };
  }) as Batch['changes'];
  pipeline.deliver({ changes, ...(unlisted && { unlistedNamespaces: unlisted }), synced: true });
}

const gatewayClass: Manifest = {
  apiVersion: gatewayApi,
  kind: 'GatewayClass',
  metadata: { name: 'mcp' },
  spec: { controllerName: 'kgateway.dev/kgateway' },
};

const gateway: Manifest = {
  apiVersion: gatewayApi,
  kind: 'Gateway',
  metadata: { name: 'gw' },
  spec: {
    gatewayClassName: 'mcp',
    listeners: [
      { name: 'mcp', port: 8080, protocol: 'kgateway.dev/mcp', allowedRoutes: { namespaces: { from: 'All' } } },
    ],
  },
};

/** @param isMcp without it, the Service is no target */
function service(namespace: string, name: string, port: number, isMcp = true): Manifest {
  const ports = [{ port, ...(isMcp && { appProtocol: 'kgateway.dev/mcp' }) }];
  return { apiVersion: 'v1', kind: 'Service', metadata: { namespace, name }, spec: { clusterIP: '10.0.0.1', ports } };
}

function policy(subject: string): Manifest {
  const matches = [{ type: 'JWT', jwt: { claim: 'sub', value: subject } }];
  return {
    apiVersion: 'gateway.kgateway.dev/v1alpha1',
    kind: 'MCPAuthPolicy',
    metadata: { name: 'p' },
    spec: { targetRefs: [{ name: 'gw' }], rules: [{ matches, resource: { kind: 'tool', name: '*' } }] },
  };
}
