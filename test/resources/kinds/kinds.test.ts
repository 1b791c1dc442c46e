import { describe, expect, it } from 'vitest';
import { kinds, matchKind, resourceKey } from '../../../src/resources/resources.ts';
import { AMBIGUOUS } from '../objects.ts';

describe('an object', () => {
  it('is read when its apiVersion and kind are those of a kind of ours', () => {
    for (const { apiVersion, kind } of Object.values(kinds))
      expect(matchKind(apiVersion, kind)).toEqual({ match: 'ours', kind });
  });

  it.each([undefined, null, 1, AMBIGUOUS, []])(
    'of a kind of ours with the apiVersion %j has an invalid frame',
    (apiVersion) => {
      expect(matchKind(apiVersion, 'Namespace')).toEqual({ match: 'ours', kind: 'Namespace' });
      expect(kinds.Namespace.decode({ apiVersion, kind: 'Namespace', metadata: { name: 'it' } }).readable).toBe(false);
    },
  );

  it.each([
    ['gateway.networking.k8s.io/v1beta1', 'Gateway', 'gateway.networking.k8s.io/v1'],
    ['gateway.kgateway.dev/v1', 'MCPAuthPolicy', 'gateway.kgateway.dev/v1alpha1'],
    ['', 'Service', 'v1'],
  ])('in %s instead of its apiVersion is skipped with a warning', (apiVersion, kind, right) => {
    expect(matchKind(apiVersion, kind)).toEqual({
      match: 'other-version',
      kind,
      message: `apiVersion is "${apiVersion}", so that the object is skipped: write "${right}" if it is to count.`,
    });
  });

  it.each([undefined, null, '', 'Deployment', 'constructor', '__proto__', 5, AMBIGUOUS, ['Service']])(
    'of kind %j is skipped silently',
    (kind) => expect(matchKind('v1', kind)).toEqual({ match: 'foreign' }),
  );

  it.each([
    ['v1', 'service', 'Service'],
    ['v1', 'Namepsace', 'Namespace'],
    ['gateway.networking.k8s.io/v1', 'Gatway', 'Gateway'],
    ['gateway.networking.k8s.io/v1', 'GatewayClasss', 'GatewayClass'],
    ['gateway.kgateway.dev/v1alpha1', 'McpAuthPolicies', undefined],
    ['gateway.kgateway.dev/v1alpha', 'MCPAuthPolcy', 'MCPAuthPolicy'],
    ['example.com/v1', 'Gatway', undefined],
    ['v1', 'ServiceAccount', undefined],
    ['v1', 'Secret', undefined],
  ])('of %s, kind %s, is skipped with a warning when it is spelt like %s', (apiVersion, kind, near) => {
    const message =
      near && `kind is "${kind}", which is not read: write "${near}", the nearest known one, if it is to count.`;
    expect(matchKind(apiVersion, kind)).toEqual({ match: 'foreign', message });
  });

  it('has a key of its namespace and its name', () => {
    expect(resourceKey({ namespace: 'here', name: 'it' })).toBe('here/it');
    expect(resourceKey({ namespace: '', name: 'it' })).toBe('it');
  });
});
