import { expect, it } from 'vitest';
import { mcpService, openGateway, policy, together } from '../support/worlds/manifests.ts';
import { startWorld } from '../support/worlds/running-world.ts';

it('hints are logged at the start and after a change, with their place, and once they are gone', async () => {
  const wrong = policy('default/p', 'gw', 'me', '{ kind: tool, name: "default/tol:run" }');
  await using world = await startWorld({ 'a.yaml': together(openGateway, mcpService('default/tool'), wrong) });
  const hint = await world.log.line('No Service makes the target "default/tol": the nearest target is "default/tool".');
  expect(hint).toMatchObject({
    level: 'warn',
    fields: {
      place: expect.stringMatching(/a\.yaml:19:\d+$/),
      object: 'MCPAuthPolicy default/p',
      field: 'spec.rules[0].resource.name',
    },
  });
  await world.write({ 'b.yaml': policy('default/q', 'gv') });
  const [other, gone] = [world.log.line('There is no Gateway "gv"'), world.log.line('a hint is gone')];
  expect(await other).toMatchObject({ level: 'warn', fields: { object: 'MCPAuthPolicy default/q' } });
  await world.write({ 'a.yaml': together(openGateway, mcpService('default/tool'), wrong.replace('tol:', 'tool:')) });
  expect(await gone).toMatchObject({ level: 'info', fields: { object: 'MCPAuthPolicy default/p' } });
});
