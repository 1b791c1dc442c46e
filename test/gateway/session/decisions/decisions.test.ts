import { describe, expect, it } from 'vitest';
import { createManualClock } from '../../../support/edges/manual-clock.ts';
import { startTargetRig } from '../../../support/gateway/target-rig.ts';
import { initialize, post } from '../../../support/nodes/raw-client.ts';

const call = { name: 'a:t', arguments: {} };

describe('a decision in the log', () => {
  it.each([
    ['hash', expect.stringMatching(/^[0-9a-f]{16}$/)],
    ['sub', 'alice'],
    ['none', undefined],
  ] as const)('names the caller as configured: %s', async (logCaller, caller) => {
    const gateway = 'my-gateway.default.svc.cluster.local';
    await using rig = await startTargetRig(() => ({ result: {} }), { logCaller, gateway });
    rig.gateway.config.allow('ns.policy', 'alice', 'tool', 'a:t');
    await (await rig.open('alice')).request('tools/call', call);
    const line = rig.gateway.log.lines.find(({ message }) => message === 'allowed');
    expect(line?.fields?.['caller']).toEqual(caller);
    expect(line?.fields).toMatchObject({ kind: 'tool', name: 'a:t', gateway, config: 'ns.policy' });
  });
});

it('decisions are counted by outcome and reason, and requests that targets get are timed by method', async () => {
  await using rig = await startTargetRig(() => ({ result: {} }));
  const { counters, config } = rig.gateway;
  const client = await rig.open('me');
  await client.request('tools/call', call);
  config.allow('ns.policy', 'me', 'tool', 'a:t');
  await client.request('tools/call', call);
  await client.request('tools/call', { ...call, name: 'a:other' });
  const count = (labels: Readonly<Record<string, string>>): number =>
    counters.total('gatehouse_gateway_decisions_total', labels);
  expect(count({ outcome: 'allowed', reason: '' })).toBe(1);
  expect(count({ outcome: 'denied', reason: 'no config' })).toBe(1);
  expect(count({ outcome: 'denied', reason: 'no rule matches' })).toBe(1);
  expect(counters.timed).toEqual(['tools/call']);
});

it('a target has as many requests open as allowed: more are refused with the name of the limit, until one ends', async () => {
  const { promise: answered, resolve: answer } = Promise.withResolvers<void>();
  await using rig = await startTargetRig(
    async () => {
      await answered;
      return { result: {} };
    },
    { maxTargetRequests: 2 },
  );
  rig.gateway.config.allow('ns.policy', 'me', 'tool', 'a:t');
  const [one, other] = [await rig.open('me'), await rig.open('me')];
  const open = [one.request('tools/call', call), other.request('tools/call', call)];
  await rig.target.arrival('tools/call', 2);
  expect((await one.request('tools/call', call)).error).toMatchObject({
    code: -32000,
    message: 'Target a has 2 requests open (--max-target-requests): try again later',
  });
  expect(rig.gateway.counters.total('gatehouse_gateway_requests_refused_total', { reason: 'target' })).toBe(1);
  answer();
  for (const { result } of await Promise.all(open)) expect(result).toEqual({});
  expect((await one.request('tools/call', call)).result).toEqual({});
});

it('a caller sends as many requests a second as allowed: more get 429 with the name of the limit, others do not', async () => {
  const clock = createManualClock();
  await using rig = await startTargetRig(() => ({ result: {} }), { clock, maxRequestRate: 2 });
  const { gateway } = rig;
  const ask = (token: string): Promise<Response> =>
    fetch(`${gateway.url}/mcp`, { method: 'POST', headers: { authorization: `Bearer ${token}` }, body: '' });
  const [token, refreshed, other] = [gateway.token('me'), gateway.token('me'), gateway.token('you')];
  expect([(await ask(token)).status, (await ask(refreshed)).status]).toEqual([415, 415]);
  const refused = await ask(token);
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '1']);
  expect(await refused.text()).toContain('You may send 2 requests a second (--max-request-rate): wait 500 ms');
  expect((await ask(other)).status).toBe(415);
  clock.advance(500);
  expect((await ask(token)).status).toBe(415);
});

it('a transport has as many sessions as allowed: when all are in use, more get 503 with the name of the limit', async () => {
  await using rig = await startTargetRig(() => ({ result: {} }), { maxSessions: 1 });
  const { gateway } = rig;
  const client = await rig.open('me');
  await client.listen();
  const refused = await post(gateway, gateway.token('you'), undefined, initialize());
  expect(refused.status).toBe(503);
  expect(await refused.text()).toContain('There are 1 sessions of this transport, all in use (--max-sessions)');
});

it('a session ends when it was not used for the configured time', async () => {
  const clock = createManualClock();
  await using rig = await startTargetRig(() => ({ result: {} }), { clock, sessionIdleTimeout: 1_000 });
  const { url, downstream } = rig.gateway;
  const client = await rig.open('me');
  // The time begins when the response is closed, which the gateway may notice after the client. Not half an hour of them.
  for (let seconds = 0; seconds < 100 && downstream.sessions() > 0; seconds += 1) {
    await fetch(`${url}/nowhere`);
    clock.advance(1_000);
  }
  expect((await client.notify('notifications/any')).status).toBe(404);
});

it('a name that is none of this mode is denied, in the log as in the response, although a rule fits it', async () => {
  await using rig = await startTargetRig(() => ({ result: {} }), { names: 'portable' });
  rig.gateway.config.allowAll('n.p', 'me');
  const client = await rig.open();
  const { error } = await client.request('tools/call', { name: 'a:x' });
  expect(error?.message).toBe('Unknown tool: a:x');
  const decisions = rig.gateway.log.lines.filter(({ message }) => message === 'allowed' || message === 'denied');
  expect(decisions.map(({ message, fields }) => [message, fields['reason']])).toEqual([['denied', 'unknown name']]);
  expect(rig.target.asked).toEqual([]);
});
