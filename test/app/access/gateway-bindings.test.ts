import { describe, expect, it } from 'vitest';
import { Bindings } from '../../../src/app/access/gateway-bindings.ts';
import type { Change } from '../../../src/graph/model.ts';
import type { Gateway } from '../../../src/resources/model.ts';
import { readManifest } from '../../support/worlds/translated-world.ts';

function gateway(annotation?: string): Gateway {
  const read = readManifest({
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'Gateway',
    metadata: {
      namespace: 'red',
      name: 'gw',
      ...(annotation !== undefined && { annotations: { 'kgateway.dev/service-account': annotation } }),
    },
    spec: { gatewayClassName: 'mcp', listeners: [{ name: 'mcp', port: 8080, protocol: 'kgateway.dev/mcp' }] },
  });
  if (read.kind !== 'Gateway' || read.resource === undefined)
    throw new Error(`a Gateway was read as one of ${read.kind}`);
  return read.resource as Gateway;
}

const change = (before: Gateway | undefined, after: Gateway | undefined): Change<Gateway> =>
  ({ key: 'red/gw', before, after }) as Change<Gateway>;

describe('the bindings of Gateways', () => {
  it('name the Gateway whose streams are to be looked at when an account is taken out, and not when one is added', () => {
    const bindings = new Bindings();
    bindings.applied([change(undefined, gateway())]);
    expect(bindings.applied([change(gateway(), gateway('gw,other'))])).toEqual([]);
    expect(bindings.applied([change(gateway('gw,other'), gateway('other'))])).toEqual(['red/gw']);
    expect([...(bindings.accountsOf('red/gw') ?? [])]).toEqual(['other']);
    expect(bindings.gatewaysOf({ namespace: 'red', name: 'gw' })).toEqual([]);
  });

  it('say so when a Gateway that was deleted is created again, for other accounts', () => {
    const bindings = new Bindings();
    bindings.applied([change(undefined, gateway())]);
    bindings.applied([change(gateway(), undefined)]);
    expect(bindings.accountsOf('red/gw')).toBeUndefined();
    expect(bindings.applied([change(undefined, gateway('other'))])).toEqual(['red/gw']);
  });

  it('give a Gateway whose annotation is no list of names to nobody', () => {
    const bindings = new Bindings();
    bindings.applied([change(undefined, gateway('gw/../other'))]);
    expect([...(bindings.accountsOf('red/gw') ?? ['absent'])]).toEqual([]);
  });
});
