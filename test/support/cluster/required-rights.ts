/** Rights, in the format of `rights.ts`, and the call that needs each. A right in no table must not be granted. */
type Reasons = Readonly<Record<string, string>>;

/** Rights in every watched namespace. */
export const inNamespaces: Reasons = {
  'list services': 'the first list, and every list after a gap',
  'watch services': 'each port with an MCP appProtocol is a target',
  'list gateways.gateway.networking.k8s.io': 'the first list, and every list after a gap',
  'watch gateways.gateway.networking.k8s.io': 'each is one snapshot',
  'patch gateways/status.gateway.networking.k8s.io': 'the leader writes conditions and listeners',
  'list gatewayparameters.gateway.kgateway.dev': 'the first list, and every list after a gap',
  'watch gatewayparameters.gateway.kgateway.dev': 'a class or a Gateway refers to it',
  'list mcpauthpolicies.gateway.kgateway.dev': 'the first list, and every list after a gap',
  'watch mcpauthpolicies.gateway.kgateway.dev': 'each is one set of rules',
  'patch mcpauthpolicies/status.gateway.kgateway.dev': 'the leader writes the ancestors',
  'create events.events.k8s.io': 'a node that refused, a bad annotation',
  'patch events.events.k8s.io': 'the same thing again is counted, not repeated',
};

/** Rights on cluster-scoped resources. */
export const inTheCluster: Reasons = {
  'list gatewayclasses.gateway.networking.k8s.io': 'the first list, and every list after a gap',
  'watch gatewayclasses.gateway.networking.k8s.io': 'it says which Gateways are ours',
  'patch gatewayclasses/status.gateway.networking.k8s.io': 'the leader writes the conditions',
  'get customresourcedefinitions.apiextensions.k8s.io/gatewayclasses.gateway.networking.k8s.io':
    'its annotation says which Gateway API is installed',
  'get customresourcedefinitions.apiextensions.k8s.io/gateways.gateway.networking.k8s.io':
    'its annotation says which Gateway API is installed',
};

/** Rights in the whole cluster; optional if only some namespaces are watched. */
export const namespaces: Reasons = {
  'list namespaces': 'the first list, and every list after a gap',
  'watch namespaces': 'labels decide allowedRoutes.namespaces.from: Selector',
};

/** Rights in the namespace of the control plane. */
export const forElection: Reasons = {
  'create leases.coordination.k8s.io': 'the first replica makes the Lease; a name cannot narrow a create',
  'get leases.coordination.k8s.io/gatehouse-leader': 'who leads, and since when',
  'update leases.coordination.k8s.io/gatehouse-leader': 'to take it, to renew it, to give it back',
};

/** Rights in the whole cluster, with `--xds-auth=token` alone. */
export const forTokens: Reasons = {
  'create tokenreviews.authentication.k8s.io': 'each token of a node is reviewed',
};

/** Rights in the whole cluster, with `--debug-auth=token` alone. */
export const forOperators: Reasons = {
  ...forTokens,
  'create subjectaccessreviews.authorization.k8s.io': 'each URL that a user asks for is reviewed',
};

/** All rights of these tables, sorted. */
export function requiredBy(...tables: readonly Reasons[]): readonly string[] {
  return tables.flatMap((table) => Object.keys(table)).sort();
}
