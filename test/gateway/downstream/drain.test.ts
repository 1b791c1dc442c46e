import { describe, expect, it } from 'vitest';
import { createManualClock } from '../../support/edges/manual-clock.ts';
import { startTargetRig } from '../../support/gateway/target-rig.ts';
import { initialize, linesOf, post } from '../../support/nodes/raw-client.ts';
import { ask } from '../../support/nodes/stateless-client.ts';

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

/** Reads lines until one begins with the text; `undefined` at the end of the stream. */
async function lineWith(lines: AsyncGenerator<string>, text: string): Promise<string | undefined> {
  for (;;) {
    const { value, done } = await lines.next();
    if (done === true) return undefined;
    if (value.startsWith(text)) return value;
  }
}

/** A rig whose target answers a call when the test says so. */
async function startRig() {
  const answered = Promise.withResolvers<{ readonly result: Readonly<Record<string, unknown>> }>();
  const rig = await startTargetRig(({ method }) => (method === 'tools/call' ? answered.promise : { result: {} }));
  rig.gateway.config.allowAll('ns.all', 'me');
  return { rig, answered };
}

const call = { jsonrpc: '2.0', id: 7, method: 'tools/call', params: { name: 'a:slow' } };

describe('a drain, while a call is in flight,', () => {
  it('ends the stream of a session with the time after which its client connects elsewhere', async () => {
    const { rig, answered } = await startRig();
    await using _ = rig;
    const { gateway, target } = rig;
    const client = await rig.open();
    const headers = { authorization: `Bearer ${gateway.token('me')}`, accept: 'text/event-stream' };
    const stream = await fetch(`${gateway.url}/mcp`, { headers: { ...headers, 'mcp-session-id': client.sessionId } });
    const calling = client.request('tools/call', call.params);
    await target.arrival('tools/call');
    const drained = gateway.downstream.drain(10_000);
    const lines = linesOf(stream);
    expect(await lineWith(lines, 'retry:')).toBe('retry: 3000');
    expect(await lineWith(lines, 'event:')).toBeUndefined();
    answered.resolve({ result: {} });
    expect((await calling).result).toEqual({});
    await drained;
  });

  it('tells the client of HTTP+SSE the same, and ends its stream after the response', async () => {
    const { rig, answered } = await startRig();
    await using _ = rig;
    const { gateway, target } = rig;
    const headers = { authorization: `Bearer ${gateway.token('me')}`, 'content-type': 'application/json' };
    const [busy, idle] = [
      linesOf(await fetch(`${gateway.url}/sse`, { headers })),
      linesOf(await fetch(`${gateway.url}/sse`, { headers })),
    ];
    const endpoint = (await lineWith(busy, 'data:'))?.slice('data: '.length) ?? '';
    const send = (message: object): Promise<Response> =>
      fetch(new URL(endpoint, `${gateway.url}/sse`), { method: 'POST', headers, body: JSON.stringify(message) });
    await send(initialize('2024-11-05'));
    await send(call);
    await target.arrival('tools/call');
    const drained = gateway.downstream.drain(10_000);
    expect(await lineWith(idle, 'retry:')).toBe('retry: 3000');
    expect(await lineWith(idle, 'event:')).toBeUndefined();
    expect(await lineWith(busy, 'retry:')).toBe('retry: 3000');
    answered.resolve({ result: { content: [] } });
    expect(await lineWith(busy, 'data:')).toContain('"id":7');
    expect(await lineWith(busy, 'event:')).toBeUndefined();
    await drained;
  });

  it('ends a subscription with its result', async () => {
    const { rig, answered } = await startRig();
    await using _ = rig;
    const { gateway, target } = rig;
    const client = await rig.open();
    const calling = client.request('tools/call', call.params);
    await target.arrival('tools/call');
    const params = { notifications: { toolsListChanged: true } };
    const lines = linesOf(await ask(gateway, { token: gateway.token('me'), method: 'subscriptions/listen', params }));
    expect(await lineWith(lines, 'data:')).toContain('subscriptions/acknowledged');
    const drained = gateway.downstream.drain(10_000);
    expect(await lineWith(lines, 'data:')).toContain('"resultType":"complete"');
    expect(await lineWith(lines, 'event:')).toBeUndefined();
    answered.resolve({ result: {} });
    await Promise.all([calling, drained]);
  });
});
