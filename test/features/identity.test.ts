import { describe, expect, it } from 'vitest';
import type { NodeClaims } from '../support/nodes/gateway-node.ts';
import { mcpClass, mcpGateway, mcpService, policy, together } from '../support/worlds/manifests.ts';
import { startWorld } from '../support/worlds/running-world.ts';

const files = {
  'worlds.yaml': together(
    mcpClass,
    mcpGateway('default/gw'),
    mcpGateway('red/gw.two', 'from: Same'),
    mcpService('default/tool'),
    policy('default/p', 'gw'),
    policy('red/q', 'gw.two'),
  ),
};

const metadata = (fields: Readonly<Record<string, unknown>>): NodeClaims => ({ node: { id: 'a', metadata: fields } });
const header = (name: string): NodeClaims => ({ headers: { 'x-alt-xds-hostname': name } });

describe('the Gateway of a node', () => {
  it.each<[string, NodeClaims, string]>([
    ['its role', metadata({ role: 'mcp-kgateway-kube-gateway-api~default~gw' }), 'default.p'],
    ['a role without a prefix', metadata({ role: 'red~gw.two' }), 'red.q'],
    ['its host name', metadata({ alt_xds_hostname: 'gw.default.svc.cluster.local' }), 'default.p'],
    ['the host name of a Gateway with dots', metadata({ alt_xds_hostname: 'gw.two.red' }), 'red.q'],
    ['a host name before a role', metadata({ alt_xds_hostname: 'gw.two.red.svc', role: 'x~default~gw' }), 'red.q'],
    ['a header, and no node at all', header('GW.default.svc.cluster.local.'), 'default.p'],
    [
      'a header that agrees',
      { ...metadata({ alt_xds_hostname: 'gw.default' }), ...header('gw.default.svc') },
      'default.p',
    ],
    ['the authority, and no node at all', { authority: 'gw.two.red.svc.cluster.local:9977' }, 'red.q'],
    ['a role before the authority', { ...metadata({ role: 'default~gw' }), authority: 'gw.two.red' }, 'default.p'],
  ])('is identified by %s', async (_, claims, config) => {
    await using world = await startWorld(files);
    const { configs } = await world.node('told by its claims', claims).settled();
    expect(Object.keys(configs)).toEqual([config]);
  });

  it.each<[string, NodeClaims, RegExp]>([
    ['nobody names it', metadata({}), /alt_xds_hostname.*x-alt-xds-hostname.*role.*:authority/s],
    [
      'the authority names one that does not exist',
      { authority: 'gone.default.svc.cluster.local' },
      /does not name its Gateway/,
    ],
    [
      'a host name and a header disagree',
      { ...metadata({ alt_xds_hostname: 'gw.default' }), ...header('gw.two.red') },
      /must agree/,
    ],
    [
      'a host name is ill-formed, whatever the role',
      metadata({ alt_xds_hostname: 'gw', role: 'default~gw' }),
      /alt_xds_hostname/,
    ],
    [
      'a host name is of another domain',
      metadata({ alt_xds_hostname: 'gw.default.svc.example.com' }),
      /alt_xds_hostname/,
    ],
    ['a host name is no string', metadata({ alt_xds_hostname: 5, role: 'default~gw' }), /alt_xds_hostname/],
    ['a role is ill-formed, whatever the authority', { ...metadata({ role: 'gw' }), authority: 'gw.default' }, /role/],
  ])('is refused when %s', async (_, claims, message) => {
    await using world = await startWorld(files);
    const ended = await world.node('refused', claims).ended();
    expect(ended).toMatchObject({ code: 'INVALID_ARGUMENT', message: expect.stringMatching(message) });
  });
});
