import { it } from 'vitest';
import { mcpClass, mcpGateway, policy, together } from '../support/worlds/manifests.ts';
import { startWorld } from '../support/worlds/running-world.ts';

it('statuses that were postponed are told by themselves', async () => {
  const policies = Array.from({ length: 1_200 }, (_, at) => policy(`default/p-${at}`, 'gw'));
  await using world = await startWorld({
    'class.yaml': mcpClass,
    'gateway.yaml': mcpGateway('default/gw'),
    'policies.yaml': together(...policies),
  });
  await world.applied();
  await world.write({ 'gateway.yaml': undefined });
  let missing = 0;
  while (missing < 1_200) {
    const { body } = await world.get('debug', '/snapshots/xds');
    missing = body.split('TargetNotFound').length - 1;
  }
});
