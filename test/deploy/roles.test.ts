import { describe, expect, it } from 'vitest';
import { shipped } from '../support/cluster/deployed.ts';
import { forElection, inNamespaces, inTheCluster, namespaces, requiredBy } from '../support/cluster/required-rights.ts';
import { rights } from '../support/cluster/rights.ts';

describe('the shipped roles', () => {
  it('give the control plane of a whole cluster what its calls need, and nothing else', () => {
    const { rules } = shipped('cluster-wide/cluster-role.yaml').only('ClusterRole');
    expect(rights(rules)).toEqual(requiredBy(inNamespaces, inTheCluster, namespaces));
  });

  it('give the election one Lease', () => {
    const { rules } = shipped('base/leader-election.yaml').only('Role');
    expect(rights(rules)).toEqual(requiredBy(forElection));
  });

  it('give the namespaced control plane nothing outside of the watched namespaces but classes and their CRDs', () => {
    const { rules } = shipped('namespaced/cluster-role.yaml').only('ClusterRole');
    expect(rights(rules)).toEqual(requiredBy(inTheCluster));
  });

  it('give it in a watched namespace what the whole cluster has there', () => {
    const { rules } = shipped('namespaced/watched/role.yaml').only('Role');
    expect(rights(rules)).toEqual(requiredBy(inNamespaces));
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
