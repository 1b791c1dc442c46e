import { describe, expect, it } from 'vitest';
import { shipped } from '../support/cluster/deployed.ts';
import {
  forElection,
  forOperators,
  forTokens,
  inNamespaces,
  inTheCluster,
  namespaces,
  requiredBy,
} from '../support/cluster/required-rights.ts';
import { rights } from '../support/cluster/rights.ts';

describe('the shipped roles', () => {
  it('grant the cluster-wide control plane exactly what its requests need', () => {
    const { rules } = shipped('cluster-wide/cluster-role.yaml').only('ClusterRole');
    expect(rights(rules)).toEqual(requiredBy(inNamespaces, inTheCluster, namespaces));
  });

  it('grant reviews of tokens in the component that uses them alone', () => {
    const { rules } = shipped('components/xds-auth-token/token-review.yaml').only('ClusterRole');
    expect(rights(rules)).toEqual(requiredBy(forTokens));
  });

  it('grant reviews of access in the component that uses them alone', () => {
    const { rules } = shipped('components/debug-auth-token/access-review.yaml').only('ClusterRole');
    expect(rights(rules)).toEqual(requiredBy(forOperators));
  });

  it('grant the election one Lease', () => {
    const { rules } = shipped('base/leader-election.yaml').only('Role');
    expect(rights(rules)).toEqual(requiredBy(forElection));
  });

  it('grant the namespaced control plane only classes and their CRDs outside of the watched namespaces', () => {
    const { rules } = shipped('namespaced/cluster-role.yaml').only('ClusterRole');
    expect(rights(rules)).toEqual(requiredBy(inTheCluster));
  });

  it('grant it in a watched namespace what the cluster-wide one has there', () => {
    const { rules } = shipped('namespaced/watched/role.yaml').only('Role');
    expect(rights(rules)).toEqual(requiredBy(inNamespaces));
  });

  it.each([
    'cluster-wide/cluster-role.yaml',
    'namespaced/cluster-role.yaml',
    'namespaced/watched/role.yaml',
    'base/leader-election.yaml',
    'components/xds-auth-token/token-review.yaml',
    'components/debug-auth-token/access-review.yaml',
  ])('are bound only to the service account: %s', (file) => {
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
