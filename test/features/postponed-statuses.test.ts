import { it } from 'vitest';
import { mcpClass, mcpGateway, policy, together } from '../support/worlds/manifests.ts';
import { startWorld } from '../support/worlds/running-world.ts';

it('statuses that a commit has postponed are told by themselves', async () => {
  const policies = Array.from({ length: 520 }, (_, at) => policy(`default/p-${at}`, 'gw'));
  await using world = await startWorld({
    'class.yaml': mcpClass,
    'gateway.yaml': mcpGateway('default/gw'),
    'policies.yaml': together(...policies),
  });
  await world.applied();
  await world.write({ 'gateway.yaml': undefined });
  // Each has a line, or is counted by one.
  await world.log.until((lines) => {
    const told = lines.filter(({ message }) => message === 'not accepted as written').length;
    const counted = lines.filter(({ message }) => message.startsWith('more objects are not accepted as written'));
    return told + counted.reduce((sum, { fields }) => sum + Number(fields['more']), 0) === 520;
  });
});
