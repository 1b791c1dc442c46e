import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createFreshWorld } from '../support/worlds/fresh-world.ts';
import { noResources } from '../support/worlds/held-resources.ts';
import { mcpService, openGateway, policy } from '../support/worlds/manifests.ts';
import { startWorld } from '../support/worlds/running-world.ts';
import { manifestsOf } from './worlds/world.ts';
import { worlds } from './worlds/worlds.ts';

const base = {
  'gw.yaml': openGateway,
  'tool.yaml': mcpService('default/tool'),
  'policy.yaml': policy('default/p', 'gw'),
};
const tool = { 'default/tool': '10.0.0.1:80' };
const mine = { 'default.p': ['tool * when sub is me'] };

/** A node that keeps its resources while it is disconnected, and names them with empty versions when it reconnects. */
describe('a node that reconnects', () => {
  it.each([
    ['a policy', { 'policy.yaml': undefined }, { targets: tool, configs: {} }],
    ['a Service', { 'tool.yaml': undefined }, { targets: {}, configs: mine }],
    ['its Gateway', { 'gw.yaml': undefined }, { targets: {}, configs: {} }],
    [
      'everything',
      { 'gw.yaml': undefined, 'tool.yaml': undefined, 'policy.yaml': undefined },
      { targets: {}, configs: {} },
    ],
  ])('gets the removal of %s', async (_, change, left) => {
    await using world = await startWorld(base);
    const node = world.node('default/gw');
    expect(await node.settled()).toMatchObject({ targets: tool, configs: mine });

    await node.disconnect();
    await world.write(change);
    expect(node.holds()).toMatchObject({ targets: tool, configs: mine });
    expect(await node.connect().settled()).toMatchObject(left);
  });

  it('gets changed and new resources', async () => {
    await using world = await startWorld(base);
    const node = world.node('default/gw');
    await node.settled();
    await node.disconnect();
    await world.write({
      'tool.yaml': mcpService('default/tool', '10.0.0.2'),
      'other.yaml': mcpService('red/other'),
      'policy.yaml': policy('default/p', 'gw', 'you'),
    });
    expect(await node.connect().settled()).toMatchObject({
      targets: { 'default/tool': '10.0.0.2:80', 'red/other': '10.0.0.1:80' },
      configs: { 'default.p': ['tool * when sub is you'] },
    });
  });

  it('has after any change the same resources as a node of a new process', { timeout: 60_000 }, async () => {
    await using world = await startWorld();
    const node = world.node('default/gw');
    await node.settled();
    const someWorlds = fc.shuffledSubarray([...worlds], { minLength: worlds.length });
    const catchesUp = fc.asyncProperty(someWorlds, fc.infiniteStream(fc.boolean()), async (order, leaves) => {
      for (const { clause, files } of order) {
        const away = leaves.next().value;
        if (away) await node.disconnect();
        await world.become(files);
        if (away) node.connect();
        expect(await node.settled(), clause).toEqual(createFreshWorld(manifestsOf(files)).resourcesOf('default/gw'));
      }
    });
    await fc.assert(catchesUp, { numRuns: 2, endOnFailure: true });
  });
});

describe('a node whose Gateway does not exist', () => {
  it('has no resources, and gets all of them once it exists', async () => {
    await using world = await startWorld({
      'tool.yaml': mcpService('default/tool'),
      'policy.yaml': policy('default/p', 'gw'),
    });
    const node = world.node('default/gw');
    expect(await node.settled()).toEqual(noResources);
    const { body } = await world.get('debug', '/snapshots/xds?gateway=default/gw');
    expect(JSON.parse(body)).toMatchObject({
      gateways: [{ exists: false, nodes: [{ gatewayExists: false, synced: true }] }],
    });

    await world.write({ 'gw.yaml': openGateway });
    expect(await node.settled()).toMatchObject({ targets: tool, configs: mine });

    await world.write({ 'gw.yaml': undefined });
    expect(await node.settled()).toEqual(noResources);
  });
});

describe('an edit', () => {
  it('that changes no encoded resource is not sent', async () => {
    await using world = await startWorld(base);
    const node = world.node('default/gw');
    await node.settled();
    const before = node.responses;
    await world.write({
      'tool.yaml': `# a comment\n${mcpService('default/tool').replace('clusterIP', 'sessionAffinity: None, clusterIP')}`,
      'web.yaml': 'apiVersion: v1\nkind: Service\nmetadata: { name: web }\nspec: { ports: [{ port: 80 }] }\n',
    });
    await node.settled();
    expect(node.responses).toBe(before);
  });

  it('of one Service is one response with one resource for each node of the Gateway', async () => {
    await using world = await startWorld({ ...base, 'other.yaml': mcpService('red/other') });
    const nodes = [1, 2, 3].map(() => world.node('default/gw'));
    for (const node of nodes) await node.settled();
    const before = nodes.map((node) => node.responses);
    await world.write({ 'tool.yaml': mcpService('default/tool', '10.0.0.2') });
    for (const node of nodes)
      expect(await node.settled()).toMatchObject({ targets: { 'default/tool': '10.0.0.2:80' } });
    expect(nodes.map((node) => node.responses)).toEqual(before.map((count) => count + 1));
  });
});
