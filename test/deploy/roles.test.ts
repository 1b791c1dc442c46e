import { describe, expect, it } from 'vitest';
import { type PolicyRule, shipped } from '../support/deployed.ts';

/** Every right that is shipped, and the call that needs it. What is not here must not be granted. */
const inNamespaces: Readonly<Record<string, string>> = {
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

const inTheCluster: Readonly<Record<string, string>> = {
  'list gatewayclasses.gateway.networking.k8s.io': 'the first list, and every list after a gap',
  'watch gatewayclasses.gateway.networking.k8s.io': 'it says which Gateways are ours',
  'patch gatewayclasses/status.gateway.networking.k8s.io': 'the leader writes the conditions',
  'get customresourcedefinitions.apiextensions.k8s.io/gatewayclasses.gateway.networking.k8s.io':
    'its annotation says which Gateway API is installed',
  'get customresourcedefinitions.apiextensions.k8s.io/gateways.gateway.networking.k8s.io':
    'its annotation says which Gateway API is installed',
};

const namespaces: Readonly<Record<string, string>> = {
  'list namespaces': 'the first list, and every list after a gap',
  'watch namespaces': 'labels decide allowedRoutes.namespaces.from: Selector',
};

const forElection: Readonly<Record<string, string>> = {
  'create leases.coordination.k8s.io': 'the first replica makes the Lease; a name cannot narrow a create',
  'get leases.coordination.k8s.io/gatehouse-leader': 'who leads, and since when',
  'update leases.coordination.k8s.io/gatehouse-leader': 'to take it, to renew it, to give it back',
};

/** One line for each right: verb, resource with its group, and the name that it is narrowed to. */
function rights(rules: readonly PolicyRule[]): readonly string[] {
  return rules
    .flatMap(({ apiGroups, resources, resourceNames = [''], verbs }) =>
      apiGroups.flatMap((group) =>
        resources.flatMap((resource) =>
          resourceNames.flatMap((name) =>
            verbs.map((verb) => `${verb} ${resource}${group && `.${group}`}${name && `/${name}`}`),
          ),
        ),
      ),
    )
    .sort();
}

const expected = (...tables: readonly Readonly<Record<string, string>>[]): readonly string[] =>
  tables.flatMap((table) => Object.keys(table)).sort();

describe('the shipped roles', () => {
  it('give the control plane of a whole cluster what its calls need, and nothing else', () => {
    const { rules } = shipped('cluster-wide/cluster-role.yaml').only('ClusterRole');
    expect(rights(rules)).toEqual(expected(inNamespaces, inTheCluster, namespaces));
  });

  it('give the election one Lease', () => {
    const { rules } = shipped('base/leader-election.yaml').only('Role');
    expect(rights(rules)).toEqual(expected(forElection));
  });

  it('give the namespaced control plane nothing outside of the watched namespaces but classes and their CRDs', () => {
    const { rules } = shipped('namespaced/cluster-role.yaml').only('ClusterRole');
    expect(rights(rules)).toEqual(expected(inTheCluster));
  });

  it('give it in a watched namespace what the whole cluster has there', () => {
    const { rules } = shipped('namespaced/watched/role.yaml').only('Role');
    expect(rights(rules)).toEqual(expected(inNamespaces));
  });

  it.each([
    'cluster-wide/cluster-role.yaml',
    'namespaced/cluster-role.yaml',
    'namespaced/watched/role.yaml',
    'base/leader-election.yaml',
  ])('are bound to the service account, and to nobody else: %s', (file) => {
    const manifests = shipped(file);
    const [role] = [...manifests.of('ClusterRole'), ...manifests.of('Role')];
    const bindings = [...manifests.of('ClusterRoleBinding'), ...manifests.of('RoleBinding')];
    expect(bindings.map(({ roleRef, subjects }) => ({ roleRef, subjects }))).toEqual([
      {
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: role?.kind, name: role?.metadata.name },
        subjects: [{ kind: 'ServiceAccount', name: 'gatehouse', namespace: 'kgateway-system' }],
      },
    ]);
  });
});
