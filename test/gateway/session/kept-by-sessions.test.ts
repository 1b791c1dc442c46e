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

/** Bytes in use after a collection of garbage. */
function bytesInUse(): number {
  queryObjects(WeakRef, { format: 'count' });
  return process.memoryUsage().heapUsed;
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

describe('what a session keeps of a request that is over', () => {
  it('is of questions of targets that were answered nothing of the calls that they were about', async () => {
    let asked = 0;
    await using rig = await startTargetRig(async ({ method }, say) => {
      if (method !== 'tools/call') return { result: {} };
      asked += 1;
      say('roots/list', {}, 'q');
      await rig.target.arrival('answer', asked);
      return { result: {} };
    });
    rig.gateway.config.allowAll('n.p', 'me');
    const client = await rig.open('me', { roots: {} });
    const said = ({ id }: Readonly<Record<string, unknown>>): void => {
      void client.answer(id, { result: { roots: [] } });
    };
    const before = bytesInUse();
    for (let call = 0; call < 30; call += 1) {
      const params = { name: 'a:x', arguments: { text: 'x'.repeat(1_000_000) } };
      expect((await client.request('tools/call', params, { said })).result).toEqual({});
    }
    // The target of this test keeps what it has received, 30 MB.
    expect(bytesInUse() - before).toBeLessThan(40_000_000);
  });

  it('is of a target its name, and not the request that named it', async () => {
    const name = 'default/a-target-with-a-long-name';
    await using rig = await startTargetRig(() => ({ result: {} }), { name });
    rig.gateway.config.allowAll('n.p', 'me');
    const clients = [];
    for (let count = 0; count < 20; count += 1) clients.push(await rig.open());
    const before = bytesInUse();
    for (const client of clients) {
      const { result } = await client.request('prompts/get', { name: `${name}:${'x'.repeat(1_000_000)}` });
      expect(result).toEqual({});
    }
    // The target of this test keeps what it has received, 20 MB.
    expect(bytesInUse() - before).toBeLessThan(30_000_000);
  });
});
