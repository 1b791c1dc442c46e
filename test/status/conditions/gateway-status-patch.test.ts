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

describe('the status of a Gateway', () => {
  it('is written whole when the API server has just made it up', () => {
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

  it('is left alone when it says what it should', () => {
    expect(patchGatewayStatus(observed(asDesired), gateway(), now)).toBeUndefined();
    expect(patchGatewayStatus(observed({ ...asDesired, addresses: [] }), gateway(), now)).toBeUndefined();
  });

  it('is left alone when others have added to it', () => {
    const conditions = [foreign('a.example/X'), ...asDesired.conditions];
    const listeners = [storedListener('mcp', foreign('a.example/Y'))];
    const status = { conditions, listeners, attachedListenerSets: 2 };
    expect(patchGatewayStatus(observed(status), gateway(), now)).toBeUndefined();
  });

  it('is written only in the fields that change', () => {
    const addresses = [{ type: 'IPAddress', value: '10.0.0.1' }] as const;
    expect(patchGatewayStatus(observed(asDesired), gateway({ addresses }), now)).toEqual({ addresses });
    expect(patchGatewayStatus(observed({ ...asDesired, addresses }), gateway(), now)).toEqual({ addresses: [] });
  });

  it.each(['kgateway.dev/MCPAuthPolicyAffected', 'kgateway.dev/InternalError'])(
    'loses %s when it is no longer desired',
    (type) => {
      const status = { ...asDesired, conditions: [...asDesired.conditions, stored(type)] };
      expect(patchGatewayStatus(observed(status), gateway(), now)).toEqual({ conditions: asDesired.conditions });
    },
  );

  it('drops what is least important when others have taken the room', () => {
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
  ])('is written whatever is stored there: %j', (status) => {
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
  ])('waits for the newer object when a condition of $of is about one', ({ status }) => {
    expect(patchGatewayStatus(observed(status, 4), gateway(), now)).toBeUndefined();
  });
});

describe('the listeners in it', () => {
  const merged = (stores: readonly unknown[], listeners: readonly ListenerStatus[]): unknown =>
    patchGatewayStatus(observed({ ...asDesired, listeners: stores }), gateway({ listeners }), now)?.['listeners'];

  it('go with the listener of the spec, and keep the order in which they are stored', () => {
    const stores = [storedListener('old'), storedListener('b'), storedListener('a')];
    expect(merged(stores, [listener('a'), listener('b'), listener('c')])).toMatchObject([
      { name: 'b' },
      { name: 'a' },
      { name: 'c' },
    ]);
  });

  it('always say what old CRDs require', () => {
    const stores = [{ name: 'mcp', supportedKinds: null, conditions: [stored('Accepted')] }];
    expect(merged(stores, [listener('mcp')])).toEqual([storedListener('mcp')]);
  });

  it('keep what others wrote about a listener, and lose a conflict that is over', () => {
    const stores = [{ ...storedListener('mcp', foreign('a.example/X'), stored('Conflicted')), extra: 1 }];
    expect(merged(stores, [listener('mcp')])).toEqual([{ ...storedListener('mcp', foreign('a.example/X')), extra: 1 }]);
  });

  it('are there once, however often they are stored', () => {
    const stores = [storedListener('mcp'), storedListener('mcp')];
    expect(merged(stores, [listener('mcp')])).toEqual([storedListener('mcp')]);
  });
});
