import type { Collection, Context, Graph } from '../../graph/model.ts';
import type { PlacedResource } from '../../snapshot/model.ts';
import type { ShardScope } from '../../snapshot/snapshot.ts';
import type { GatewayState, Translation } from '../../translate/model.ts';
import { deriveCrowded, nextPowerOfTwo, type RoomClaim } from '../../translate/translate.ts';
import { agentgateway } from '../../wire/wire.ts';
import { samePlace } from './placement.ts';

type ListedTarget = ReturnType<typeof agentgateway.encodeListedTarget>;

/** The lists of targets, one for each scope. */
interface McpBackends {
  readonly backends: Collection<PlacedResource>;
  /** See {@link deriveMcpBackends}. */
  readonly crowded: Collection<true>;
}

/**
 * Derives the MCP Backend of each scope that a Gateway has: the list of its targets. Scopes of several namespaces are
 * Gateways times targets together, so that they have room for `limit` entries; beyond it each namespace with Gateways has an
 * equal part, and the longest lists in it are empty. Scopes of one namespace have no target twice, and need no limit.
 */
export function deriveMcpBackends(
  graph: Graph,
  translation: Translation,
  { limit }: { readonly limit: number },
): McpBackends {
  const listed = graph.derive(translation.targets, (target) => agentgateway.encodeListedTarget(target), {
    name: 'agentgateway/listed-targets',
    equals: agentgateway.sameListedTarget,
  });
  const byNamespace = graph.index(listed, ({ namespace }) => [namespace], {
    name: 'agentgateway/listed-targets-by-namespace',
  });
  const listsOf = (scope: string, context: Context): readonly (readonly ListedTarget[])[] => {
    const namespaces = agentgateway.namespacesOf(scope);
    if (namespaces === 'all') return [context.all(listed)];
    return namespaces.map((namespace) => context.by(byNamespace, namespace));
  };
  const gatewaysByScope = graph.index(
    translation.gateways,
    (state) => (state.kind === 'served' ? [agentgateway.scopeKey(state.scope)] : []),
    { name: 'agentgateway/gateways-by-scope' },
  );
  const scopes = graph.indexValues(gatewaysByScope, { name: 'agentgateway/scopes' });
  const claims = deriveClaims(graph, translation, scopes, listsOf);
  const crowded = deriveCrowded(graph, claims, { limit, of: 'agentgateway/lists' });
  const claimsByScope = graph.index(claims, ({ item }) => [item], { name: 'agentgateway/claims-by-scope' });
  const hasRoom = (scope: string, context: Context): boolean => {
    const owners = context.by(claimsByScope, scope).map(({ owner }) => owner);
    return owners.length === 0 || owners.some((owner) => context.get(crowded, claimKey(owner, scope)) === undefined);
  };
  const backends = graph.derive(
    scopes,
    (scope, context): PlacedResource => {
      const targets = hasRoom(scope, context) ? listsOf(scope, context).flat() : [];
      return { shard: scope, resource: agentgateway.encodeMcpBackend(scope, targets) };
    },
    { name: 'agentgateway/mcp-backends', equals: samePlace, whole: true },
  );
  return { backends, crowded };
}

/** The scopes of several namespaces, with each namespace whose Gateways have them. */
function deriveClaims(
  graph: Graph,
  translation: Translation,
  scopes: Collection<string>,
  listsOf: (scope: string, context: Context) => readonly (readonly ListedTarget[])[],
): Collection<RoomClaim> {
  const lengths = graph.derive(
    scopes,
    (scope, context) =>
      hasSeveralNamespaces(scope)
        ? nextPowerOfTwo(listsOf(scope, context).reduce((sum, { length }) => sum + length, 0))
        : undefined,
    { name: 'agentgateway/list-lengths', whole: true },
  );
  const gatewaysByClaim = graph.index(
    translation.gateways,
    (state, key) => {
      const scope = state.kind === 'served' ? agentgateway.scopeKey(state.scope) : 'none';
      return hasSeveralNamespaces(scope) ? [claimKey(key.slice(0, key.indexOf('/')), scope)] : [];
    },
    { name: 'agentgateway/gateways-by-claim' },
  );
  return graph.derive(
    graph.indexValues(gatewaysByClaim, { name: 'agentgateway/claim-keys' }),
    (key, context): RoomClaim | undefined => {
      const [owner = '', item = ''] = key.split(' ');
      const size = context.get(lengths, item);
      return size === undefined ? undefined : { owner, item, size };
    },
    { name: 'agentgateway/claims' },
  );
}

function hasSeveralNamespaces(scope: string): boolean {
  const namespaces = agentgateway.namespacesOf(scope);
  return namespaces !== 'all' && namespaces.length > 1;
}

/** Neither a namespace nor the key of a scope has a space. */
function claimKey(owner: string, scope: string): string {
  return `${owner} ${scope}`;
}

/** The shard of the MCP Backend of a Gateway. */
export function mcpBackendScope(state: GatewayState | undefined): ShardScope {
  return state?.kind === 'served' ? { kind: 'shards', shards: [agentgateway.scopeKey(state.scope)] } : { kind: 'none' };
}
