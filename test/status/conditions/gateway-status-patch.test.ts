import { describe, expect, it } from 'vitest';
import { patchGatewayStatus } from '../../../src/status/conditions/gateway-status-patch.ts';
import type { GatewayStatus, ListenerStatus } from '../../../src/translate/model.ts';
import { desired, foreign, now, nowText, observed, stored } from './stored-statuses.ts';

function listener(name: string, ...more: ListenerStatus['conditions']): ListenerStatus {
  return { name, supportedKinds: [], attachedRoutes: 0, conditions: [desired('Accepted'), ...more] };
}

function storedListener(name: string, ...more: readonly unknown[]): Record<string, unknown> {
  return { name, supportedKinds: [], attachedRoutes: 0, conditions: [stored('Accepted'), ...more] };
}

function gateway(change: Partial<GatewayStatus> = {}): GatewayStatus {
  const conditions = [desired('Accepted'), desired('Programmed')];
  const listeners = [listener('mcp')];
  return { kind: 'Gateway', namespace: 'default', name: 'gw', conditions, addresses: [], listeners, ...change };
}

const asDesired = {
  conditions: [stored('Accepted'), stored('Programmed')],
  listeners: [storedListener('mcp')],
};

describe('the status patch of a Gateway', () => {
  it('has every field when the API server has just created the object', () => {
    const waiting = { type: 'Accepted', status: 'Unknown', reason: 'Pending', message: 'Waiting for controller' };
    const conditions = [{ ...waiting, lastTransitionTime: '1970-01-01T00:00:00Z' }];
    expect(patchGatewayStatus(observed({ conditions }), gateway(), now)).toEqual({
      conditions: [
        { ...stored('Accepted'), lastTransitionTime: nowText },
        { ...stored('Programmed'), lastTransitionTime: nowText },
      ],
      listeners: [
        {
          name: 'mcp',
          supportedKinds: [],
          attachedRoutes: 0,
          conditions: [{ ...stored('Accepted'), lastTransitionTime: nowText }],
        },
      ],
    });
  });

  it('is undefined when the status is up to date', () => {
    expect(patchGatewayStatus(observed(asDesired), gateway(), now)).toBeUndefined();
    expect(patchGatewayStatus(observed({ ...asDesired, addresses: [] }), gateway(), now)).toBeUndefined();
  });

  it('is undefined when other controllers only added to the status', () => {
    const conditions = [foreign('a.example/X'), ...asDesired.conditions];
    const listeners = [storedListener('mcp', foreign('a.example/Y'))];
    const status = { conditions, listeners, attachedListenerSets: 2 };
    expect(patchGatewayStatus(observed(status), gateway(), now)).toBeUndefined();
  });

  it('has only the fields that change', () => {
    const addresses = [{ type: 'IPAddress', value: '10.0.0.1' }] as const;
    expect(patchGatewayStatus(observed(asDesired), gateway({ addresses }), now)).toEqual({ addresses });
    expect(patchGatewayStatus(observed({ ...asDesired, addresses }), gateway(), now)).toEqual({ addresses: [] });
  });

  it.each(['kgateway.dev/MCPAuthPolicyAffected', 'kgateway.dev/InternalError'])(
    'removes %s when it is not desired',
    (type) => {
      const status = { ...asDesired, conditions: [...asDesired.conditions, stored(type)] };
      expect(patchGatewayStatus(observed(status), gateway(), now)).toEqual({ conditions: asDesired.conditions });
    },
  );

  it('omits the least important conditions when other controllers fill the list', () => {
    const others = Array.from({ length: 6 }, (_, at) => foreign(`x.example/${at}`));
    const conditions = [...gateway().conditions, desired('kgateway.dev/MCPAuthPolicyAffected')];
    const fields = patchGatewayStatus(observed({ ...asDesired, conditions: others }), gateway({ conditions }), now);
    expect(fields?.['conditions']).toMatchObject([...others, { type: 'Accepted' }, { type: 'Programmed' }]);
  });

  it.each([
    null,
    'status',
    3,
    [],
    { conditions: {}, listeners: 'none', addresses: null },
    { listeners: [null, {}, 4] },
  ])('replaces a malformed status: %j', (status) => {
    const fields = patchGatewayStatus(observed(status), gateway(), now);
    expect(fields?.['conditions']).toHaveLength(2);
    expect(fields?.['listeners']).toHaveLength(1);
  });

  it.each([
    { of: 'the Gateway', status: { ...asDesired, conditions: [{ ...stored('Accepted'), observedGeneration: 4 }] } },
    {
      of: 'a listener',
      status: {
        conditions: [],
        listeners: [{ ...storedListener('mcp'), conditions: [{ ...stored('Programmed'), observedGeneration: 4 }] }],
      },
    },
  ])('is undefined while a condition of $of describes a newer generation', ({ status }) => {
    expect(patchGatewayStatus(observed(status, 4), gateway(), now)).toBeUndefined();
  });
});

describe('the listeners of a status patch', () => {
  const merged = (stores: readonly unknown[], listeners: readonly ListenerStatus[]): unknown =>
    patchGatewayStatus(observed({ ...asDesired, listeners: stores }), gateway({ listeners }), now)?.['listeners'];

  it('are those of the spec, in the order in which they are stored', () => {
    const stores = [storedListener('old'), storedListener('b'), storedListener('a')];
    expect(merged(stores, [listener('a'), listener('b'), listener('c')])).toMatchObject([
      { name: 'b' },
      { name: 'a' },
      { name: 'c' },
    ]);
  });

  it('always have the fields that old CRDs require', () => {
    const stores = [{ name: 'mcp', supportedKinds: null, conditions: [stored('Accepted')] }];
    expect(merged(stores, [listener('mcp')])).toEqual([storedListener('mcp')]);
  });

  it("keep other controllers' conditions, and lose a conflict that has ended", () => {
    const stores = [{ ...storedListener('mcp', foreign('a.example/X'), stored('Conflicted')), extra: 1 }];
    expect(merged(stores, [listener('mcp')])).toEqual([{ ...storedListener('mcp', foreign('a.example/X')), extra: 1 }]);
  });

  it('are unique, also when they are stored twice', () => {
    const stores = [storedListener('mcp'), storedListener('mcp')];
    expect(merged(stores, [listener('mcp')])).toEqual([storedListener('mcp')]);
  });
});
