import { describe, expect, it } from 'vitest';
import { patchGatewayClassStatus } from '../../../src/status/conditions/gateway-class-status-patch.ts';
import type { GatewayClassStatus } from '../../../src/translate/model.ts';
import { desired, foreign, now, nowText, observed, stored } from './stored-statuses.ts';

function gatewayClass(...conditions: GatewayClassStatus['conditions']): GatewayClassStatus {
  return { kind: 'GatewayClass', name: 'mcp', conditions };
}

describe('the status patch of a GatewayClass', () => {
  it('has the conditions when they differ', () => {
    const status = { conditions: [stored('Accepted', 'False')], supportedFeatures: [{ name: 'Gateway' }] };
    expect(patchGatewayClassStatus(observed(status), gatewayClass(desired('Accepted')), now)).toEqual({
      conditions: [{ ...stored('Accepted'), lastTransitionTime: nowText }],
    });
  });

  it('is undefined when the status is up to date', () => {
    const status = { conditions: [stored('Accepted'), foreign('a.example/X'), stored('SupportedVersion')] };
    const both = gatewayClass(desired('Accepted'), desired('SupportedVersion'));
    expect(patchGatewayClassStatus(observed(status), both, now)).toBeUndefined();
  });

  it('removes SupportedVersion when the versions of the CRDs are unknown', () => {
    const status = { conditions: [stored('Accepted'), stored('SupportedVersion')] };
    const fields = patchGatewayClassStatus(observed(status), gatewayClass(desired('Accepted')), now);
    expect(fields).toEqual({ conditions: [stored('Accepted')] });
  });

  it('is undefined while the status describes a newer generation', () => {
    const status = { conditions: [{ ...stored('Accepted', 'False'), observedGeneration: 9 }] };
    expect(patchGatewayClassStatus(observed(status, 9), gatewayClass(desired('Accepted')), now)).toBeUndefined();
  });

  it.each([undefined, null, 'x', [], { conditions: null }])('replaces a malformed status: %j', (status) => {
    const fields = patchGatewayClassStatus(observed(status), gatewayClass(desired('Accepted')), now);
    expect(fields?.['conditions']).toHaveLength(1);
  });
});
