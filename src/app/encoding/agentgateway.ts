import type { Collection, Graph } from '../../graph/model.ts';
import type { PlacedResource } from '../../snapshot/model.ts';
import type { ResourceSource } from '../../snapshot/snapshot.ts';
import type { GatewayState, Translation } from '../../translate/model.ts';
import type { EncodedResource } from '../../wire/model.ts';
import { agentgateway } from '../../wire/wire.ts';
import { deriveMcpBackends, mcpBackendScope } from './mcp-backends.ts';
import { gatewayScope, namespaceShard, samePlace, targetScope } from './placement.ts';

/** The resources of the dialect of agentgateway, in parts that are shared differently. */
interface Derived {
  readonly parts: readonly ResourceSource[];
  /** The collections whose changes are encoded resources. */
  readonly encoded: readonly Collection<PlacedResource>[];
  /** What has no room for its MCP Backend: an entry for each scope and namespace with Gateways. */
  readonly crowded: Collection<true>;
}

/**
 * Entries of the MCP Backends of all scopes of several namespaces. Each takes 40 to 100 bytes, and a quarter of a
 * microsecond whenever a target of its scope appears or is gone; without a limit they are Gateways times targets.
 */
const maxListedTargets = 500_000;

/**
 * Derives the resources of agentgateway's dialect:
 *
 *   Gateway ──► the policy that closes it, authentication; per listener Route, Listener, Bind    a shard per Gateway
 *   policy  ──► an allow list, then one Policy for each Gateway that it is attached to           a shard per Gateway
 *   target  ──► a Backend with its address                                                       a shard per namespace
 *   target  ──► an entry in the MCP Backend of each scope that it is in                          a shard per scope
 *
 * An edit of an address changes the Backend of that target alone. A target that appears changes one MCP Backend for each
 * distinct scope, however many Gateways have it.
 */
export function deriveAgentgateway(graph: Graph, translation: Translation): Derived {
  const stateOf = (gateway: string): GatewayState | undefined => translation.gateways.get(gateway);
  const gateways = deriveGateways(graph, translation);
  const policies = derivePolicies(graph, translation);
  const backends = graph.derive(
    translation.targets,
    (target): PlacedResource => ({
      shard: namespaceShard(target.namespace),
      resource: agentgateway.encodeTargetBackend(target),
    }),
    { name: 'agentgateway/backends', equals: samePlace },
  );
  const { backends: mcpBackends, crowded } = deriveMcpBackends(graph, translation, { limit: maxListedTargets });
  const ofGateway = (gateway: string): ReturnType<typeof gatewayScope> => gatewayScope(gateway, stateOf(gateway));
  return {
    parts: [
      { resources: gateways, scopeOf: ofGateway },
      { resources: policies, scopeOf: ofGateway, allows: true },
      {
        resources: backends,
        shardOf: (name) => namespaceShard(agentgateway.namespaceOfBackend(name)),
        scopeOf: (gateway) => targetScope(stateOf(gateway)),
      },
      { resources: mcpBackends, scopeOf: (gateway) => mcpBackendScope(stateOf(gateway)) },
    ],
    encoded: [gateways, policies, backends, mcpBackends],
    crowded,
  };
}

function deriveGateways(graph: Graph, translation: Translation): Collection<PlacedResource> {
  const listeners = translation.deriveListeners();
  return graph.deriveMany(
    translation.gateways,
    (state, context, key) => {
      if (state.kind !== 'served') return [];
      const gateway = {
        key,
        scope: agentgateway.scopeKey(state.scope),
        listeners: context.get(listeners, key) ?? [],
        providers: context.get(translation.jwtProviders, key) ?? [],
      };
      return agentgateway.encodeGateway(gateway).map((resource) => placed(key, resource));
    },
    { name: 'agentgateway/gateways', equals: samePlace },
  );
}

function derivePolicies(graph: Graph, translation: Translation): Collection<PlacedResource> {
  const allowLists = graph.derive(
    translation.configs,
    ({ namespace, name, rules }) => {
      const allow = agentgateway.allowList(rules);
      return allow && { namespace, name, allow: agentgateway.encodeAllowList(allow) };
    },
    { name: 'agentgateway/allow-lists', equals: (a, b) => Buffer.compare(a.allow, b.allow) === 0 },
  );
  return graph.derive(
    translation.attachments,
    ({ gateway, policy }, context): PlacedResource | undefined => {
      const allowed = context.get(allowLists, policy);
      if (allowed === undefined) return undefined;
      const name = agentgateway.gatewayName(gateway);
      return { shard: gateway, resource: agentgateway.encodePolicy(name, allowed, allowed.allow) };
    },
    { name: 'agentgateway/policies', equals: samePlace },
  );
}

/** A resource of a Gateway. The key differs from those of other Gateways, whose resources may have the same name. */
function placed(gateway: string, resource: EncodedResource): readonly [key: string, resource: PlacedResource] {
  return [`${gateway}|${resource.name}`, { shard: gateway, resource }];
}
