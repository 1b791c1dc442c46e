import { expect, it } from 'vitest';
import { operatorAt, statesOf } from '../support/nodes/operator.ts';
import { mcpService, openGateway, policy } from '../support/worlds/manifests.ts';
import { startWorld } from '../support/worlds/running-world.ts';

it('CSDS lists the resources of the nodes of a running control plane', async () => {
  await using world = await startWorld({ 'gw.yaml': openGateway, 'tool.yaml': mcpService('default/tool') });
  const operator = operatorAt(`127.0.0.1:${world.app.listening.admin.port}`);
  expect(await operator.ask()).toEqual([]);

  const node = world.node('default/gw');
  await node.settled();
  expect((await operator.ask()).map((config) => [config.clientScope, statesOf(config)])).toEqual([
    ['default/gw', { 'default/tool': 'SYNCED' }],
  ]);

  await world.write({ 'policy.yaml': policy('default/p', 'gw') });
  await node.settled();
  expect(statesOf((await operator.ask())[0])).toEqual({ 'default/tool': 'SYNCED', 'default.p': 'SYNCED' });

  await node.disconnect();
  await world.log.line('a node is gone');
  expect(await operator.ask()).toEqual([]);
  await operator.close();
});
