import { expect, it } from 'vitest';
import { startGateway } from '../../../support/gateway/gateway-rig.ts';
import { startRawTarget } from '../../../support/gateway/raw-target.ts';
import { startTargetRig } from '../../../support/gateway/target-rig.ts';
import { openRawClient } from '../../../support/nodes/raw-client.ts';

const params = { unknown: { kept: 1 } };

it('a request and a notification that nobody knows reach the only target, from a caller who may use everything', async () => {
  await using rig = await startTargetRig(({ method }, say) => {
    if (method === 'ext/do') say('notifications/ext/doing', params);
    return { result: { of: method } };
  });
  rig.gateway.config.allowAll('n.p', 'me');
  const client = await rig.open();
  const { result, before } = await client.request('ext/do', params);
  expect([result, before]).toEqual([{ of: 'ext/do' }, [{ jsonrpc: '2.0', method: 'notifications/ext/doing', params }]]);
  await client.notify('notifications/ext/done', params);
  expect((await rig.target.arrival('notifications/ext/done')).params).toEqual(params);
});

it.each([
  'initialize',
  'server/discover',
  'sampling/createMessage',
  'tools/future',
  'constructor',
  `${'x/'.repeat(9)}y`,
])('a request %j goes to no target', async (method) => {
  await using rig = await startTargetRig(() => ({ result: {} }));
  rig.gateway.config.allowAll('n.p', 'me');
  await (await rig.open()).request(method, params);
  expect(rig.target.asked).toEqual([]);
});

it.each(['tool', 'prompt', 'resource'] as const)(
  'a caller who may use everything but %ss sends nothing unknown',
  async (kind) => {
    await using rig = await startTargetRig(() => ({ result: {} }));
    for (const other of ['tool', 'prompt', 'resource'] as const)
      if (other !== kind) rig.gateway.config.allow('n.p', 'me', other, '*');
    rig.gateway.config.allow('n.p', 'me', kind, 'a:*');
    const client = await rig.open();
    expect((await client.request('ext/do')).error?.code).toBe(-32601);
    await client.notify('notifications/ext/done');
    await client.request('tools/list');
    expect(rig.target.asked.map(({ method }) => method)).not.toContain('notifications/ext/done');
  },
);

it('nothing unknown is sent where there are two targets', async () => {
  await using one = await startRawTarget(() => ({ result: {} }));
  await using other = await startRawTarget(() => ({ result: {} }));
  await using gateway = await startGateway();
  gateway.config.putTarget(one.target('a'));
  gateway.config.putTarget(other.target('b'));
  gateway.config.allowAll('n.p', 'me');
  const client = await openRawClient(gateway, gateway.token('me'));
  expect((await client.request('ext/do')).error?.code).toBe(-32601);
  expect([...one.asked, ...other.asked]).toEqual([]);
});

it('a request of an unknown method has one decision in the log, where it could go to a target', async () => {
  await using rig = await startTargetRig(() => ({ result: {} }), { gateway: 'ns/gw' });
  const { config } = rig.gateway;
  config.allow('n.p', 'me', 'tool', '*');
  config.allow('n.p', 'me', 'resource', '*');
  config.allow('n.q', 'me', 'prompt', '*');
  // A rule for a tool of this name is not the one for all tools.
  config.allow('n.a', 'me', 'tool', 'a:*');
  const [client, stranger] = [await rig.open(), await rig.open('you')];
  await client.request('ext/do');
  await stranger.request('ext/do');
  await client.request('tools/future');
  const decisions = rig.gateway.log.lines.filter(({ fields }) => fields['kind'] === 'method');
  expect(decisions.map(({ message, fields }) => ({ message, ...fields, caller: typeof fields['caller'] }))).toEqual([
    {
      message: 'allowed',
      kind: 'method',
      name: 'ext/do',
      caller: 'string',
      gateway: 'ns/gw',
      config: 'n.p',
      rule: expect.any(Number),
      claim: 'sub',
      resource: '*',
      rules: 'tool n.p 0, prompt n.q 0, resource n.p 1',
    },
    {
      message: 'denied',
      kind: 'method',
      name: 'ext/do',
      caller: 'string',
      gateway: 'ns/gw',
      reason: 'not every tool, prompt and resource is allowed',
    },
  ]);
});
