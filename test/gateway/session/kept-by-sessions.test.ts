import { IncomingMessage, ServerResponse } from 'node:http';
import { queryObjects } from 'node:v8';
import { describe, expect, it } from 'vitest';
import { startTargetRig } from '../../support/gateway/target-rig.ts';

/** Subscribes to long URIs until one is refused, and returns how many were accepted. */
async function subscribeAll(client: Awaited<ReturnType<Awaited<ReturnType<typeof startTargetRig>>['open']>>) {
  for (let count = 0; count < 100; count += 1) {
    const { error } = await client.request('resources/subscribe', { uri: `mcp://a/${count}-${'x'.repeat(200_000)}` });
    if (error !== undefined) return { count, error };
  }
  return undefined;
}

describe('what a session keeps of its client', () => {
  it('is of a log level the level alone, and one that MCP has', async () => {
    await using rig = await startTargetRig(() => ({ result: {} }));
    rig.gateway.config.allowAll('n.p', 'me');
    const client = await rig.open();
    const large = { level: 'debug', more: 'x'.repeat(100_000) };
    expect((await client.request('logging/setLevel', large)).result).toEqual({});
    await client.request('tools/call', { name: 'a:x' });
    expect((await rig.target.arrival('logging/setLevel')).params).toEqual({ level: 'debug' });
    expect((await client.request('logging/setLevel', { level: 'x'.repeat(100_000) })).error?.code).toBe(-32602);
  });

  it('is of subscriptions a share of a budget, by caller', async () => {
    await using rig = await startTargetRig(() => ({ result: {} }));
    rig.gateway.config.allowAll('n.p', 'me');
    rig.gateway.config.allowAll('n.q', 'you');
    rig.gateway.config.allowAll('n.r', 'them');
    const first = await subscribeAll(await rig.open('me'));
    expect(first).toMatchObject({
      count: 13,
      error: { code: -32000, message: expect.stringContaining('unsubscribe') },
    });
    // Another session of the same caller has no share of its own, other callers have half of what is left.
    expect(await subscribeAll(await rig.open('me'))).toMatchObject({ count: 0 });
    expect(await subscribeAll(await rig.open('you'))).toMatchObject({ count: 7 });
    expect(await subscribeAll(await rig.open('them'))).toMatchObject({ count: 4 });
  });

  it('is given back when a client unsubscribes, when the target refuses, and at the end of the session', async () => {
    await using rig = await startTargetRig(({ params }) =>
      String(params['uri']).startsWith('no') ? { error: { code: -32002, message: 'no' } } : { result: {} },
    );
    const { gateway } = rig;
    gateway.config.allowAll('n.p', 'me');
    const client = await rig.open();
    const long = 'x'.repeat(1_000_000);
    for (let turn = 0; turn < 10; turn += 1) {
      expect((await client.request('resources/subscribe', { uri: `mcp://a/no${long}` })).error?.code).toBe(-32002);
      const uri = `mcp://a/${long.slice(0, 700_000 + turn)}`;
      expect((await client.request('resources/subscribe', { uri })).error).toBeUndefined();
      expect((await client.request('resources/unsubscribe', { uri })).error).toBeUndefined();
    }
    for (let turn = 0; turn < 4; turn += 1) {
      const other = await rig.open();
      expect((await other.request('resources/subscribe', { uri: `mcp://a/${long}` })).error).toBeUndefined();
      expect((await other.request('resources/subscribe', { uri: `mcp://a/b${long}` })).error).toBeUndefined();
      const headers = { authorization: `Bearer ${gateway.token('me')}`, 'mcp-session-id': other.sessionId };
      expect((await fetch(`${gateway.url}/mcp`, { method: 'DELETE', headers })).status).toBe(200);
    }
  });

  it('is of requests that were answered the text of the answers, and neither responses nor connections', async () => {
    await using rig = await startTargetRig(() => ({ result: {} }));
    rig.gateway.config.allowAll('n.p', 'me');
    const client = await rig.open();
    for (let call = 0; call < 60; call += 1) {
      expect((await client.request('tools/call', { name: 'a:x' })).result).toEqual({});
    }
    // Those of the stream, and of connections that are kept.
    expect(queryObjects(ServerResponse, { format: 'count' })).toBeLessThan(10);
    expect(queryObjects(IncomingMessage, { format: 'count' })).toBeLessThan(20);
  });
});
