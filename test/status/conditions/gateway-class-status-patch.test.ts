import { describe, expect, it } from 'vitest';
import { patchGatewayClassStatus } from '../../../src/status/conditions/gateway-class-status-patch.ts';
import type { Condition, GatewayClassStatus } from '../../../src/translate/model.ts';
import { desired, foreign, now, nowText, observed, stored } from './stored-statuses.ts';

function gatewayClass(...conditions: readonly Condition[]): GatewayClassStatus {
  return { kind: 'GatewayClass', name: 'mcp', conditions };
}

describe('the status of a GatewayClass', () => {
  it('is written when it says something else', () => {
    const status = { conditions: [stored('Accepted', 'False')], supportedFeatures: [{ name: 'Gateway' }] };
    expect(patchGatewayClassStatus(observed(status), gatewayClass(desired('Accepted')), now)).toEqual({
      conditions: [{ ...stored('Accepted'), lastTransitionTime: nowText }],
    });
  });

  it('is left alone when it says what it should', () => {
    const status = { conditions: [stored('Accepted'), foreign('a.example/X'), stored('SupportedVersion')] };
    const both = gatewayClass(desired('Accepted'), desired('SupportedVersion'));
    expect(patchGatewayClassStatus(observed(status), both, now)).toBeUndefined();
  });

  it('loses SupportedVersion when nobody can tell', () => {
    const status = { conditions: [stored('Accepted'), stored('SupportedVersion')] };
    const fields = patchGatewayClassStatus(observed(status), gatewayClass(desired('Accepted')), now);
    expect(fields).toEqual({ conditions: [stored('Accepted')] });
  });

  it('waits for the newer object when it is about one', () => {
    const status = { conditions: [{ ...stored('Accepted', 'False'), observedGeneration: 9 }] };
    expect(patchGatewayClassStatus(observed(status, 9), gatewayClass(desired('Accepted')), now)).toBeUndefined();
  });

  it.each([undefined, null, 'x', [], { conditions: null }])('is written whatever is stored there: %j', (status) => {
    const fields = patchGatewayClassStatus(observed(status), gatewayClass(desired('Accepted')), now);
    expect(fields?.['conditions']).toHaveLength(1);
  });
});
