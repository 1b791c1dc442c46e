import { expect, it } from 'vitest';
import { createManualClock } from '../../support/edges/manual-clock.ts';
import { startTargetRig } from '../../support/gateway/target-rig.ts';
import { initialize, post } from '../../support/nodes/raw-client.ts';

it('a drain lets requests in flight end, and refuses new ones with a status that clients retry', async () => {
  const answered = Promise.withResolvers<{ readonly result: Readonly<Record<string, unknown>> }>();
  await using rig = await startTargetRig(({ method }) => (method === 'tools/call' ? answered.promise : { result: {} }));
  const { gateway, target } = rig;
  gateway.config.allowAll('ns.all', 'me');
  const client = await rig.open();
  const calling = client.request('tools/call', { name: 'a:slow' });
  await target.arrival('tools/call');

  const drained = gateway.downstream.drain(10_000);
  for (const session of [undefined, client.sessionId]) {
    const refused = await post(gateway, gateway.token('me'), session, initialize());
    expect([refused.status, refused.headers.get('retry-after'), refused.headers.get('connection')]).toEqual([
      503,
      '1',
      'close',
    ]);
    expect(await refused.json()).toMatchObject({ error: { message: /shutting down/ } });
  }
  expect(gateway.counters.total('gatehouse_gateway_requests_refused_total', { reason: 'shutting down' })).toBe(2);
  answered.resolve({ result: { content: [] } });
  expect((await calling).result).toEqual({ content: [] });
  await drained;
  expect(target.received.filter(({ method }) => method === 'tools/call')).toHaveLength(1);
});

it('what is in flight at the end of a drain gets an error, and the target is told', async () => {
  const clock = createManualClock();
  await using rig = await startTargetRig(({ method }) => (method === 'tools/call' ? undefined : { result: {} }), {
    clock,
  });
  const { gateway, target } = rig;
  gateway.config.allowAll('ns.all', 'me');
  const client = await rig.open();
  const calling = client.request('tools/call', { name: 'a:slow' });
  await target.arrival('tools/call');
  const drained = gateway.downstream.drain(9_000);
  clock.advance(9_000);
  await drained;
  expect((await calling).error).toMatchObject({ code: -32000, message: /shutting down/ });
  await target.arrival('notifications/cancelled');
});

it('a drain without requests in flight is over at once, although streams are open', async () => {
  const clock = createManualClock();
  await using rig = await startTargetRig(() => ({ result: {} }), { clock });
  const client = await rig.open();
  await client.listen();
  await rig.gateway.downstream.drain(9_000);
});
