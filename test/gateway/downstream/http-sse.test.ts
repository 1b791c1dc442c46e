import { describe, expect, it } from 'vitest';
import { createManualClock } from '../../support/edges/manual-clock.ts';
import { type GatewayRig, startGateway } from '../../support/gateway/gateway-rig.ts';
import { startTargetRig } from '../../support/gateway/target-rig.ts';
import { initialize, linesOf, nestedMessage } from '../../support/nodes/raw-client.ts';

async function open(gateway: GatewayRig, token: string) {
  const response = await fetch(`${gateway.url}/sse`, { headers: { authorization: `Bearer ${token}` } });
  const lines = linesOf(response);
  const event = async (): Promise<readonly [string, string] | undefined> => {
    let name = '';
    for (;;) {
      const { value, done } = await lines.next();
      if (done === true) return undefined;
      if (value.startsWith('event: ')) name = value.slice(7);
      if (value.startsWith('data: ')) return [name, value.slice(6)];
    }
  };
  const endpoint = (await event())?.[1] ?? '';
  const post = (body: unknown, as = token): Promise<Response> =>
    fetch(new URL(endpoint, `${gateway.url}/sse`), {
      method: 'POST',
      headers: { authorization: `Bearer ${as}`, 'content-type': 'application/json' },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
  return { response, lines, event, endpoint, post };
}

describe('HTTP+SSE', () => {
  it('sends the URL for POST first, responds to POST with 202, and sends responses on the stream', async () => {
    await using gateway = await startGateway();
    const client = await open(gateway, gateway.token('me'));
    expect(client.response.headers.get('content-type')).toBe('text/event-stream');
    expect(client.endpoint).toMatch(/^\?sessionId=[0-9a-f]{32}$/);
    const posted = await client.post(initialize('2024-11-05'));
    expect(posted.status).toBe(202);
    const [name, data] = (await client.event()) ?? [];
    expect(name).toBe('message');
    expect(JSON.parse(data ?? '')).toMatchObject({ id: 0, result: { protocolVersion: '2024-11-05' } });
  });

  it('accepts "params": null, which some clients send', async () => {
    await using gateway = await startGateway();
    const client = await open(gateway, gateway.token('me'));
    await client.post(initialize('2024-11-05'));
    await client.event();
    expect((await client.post({ jsonrpc: '2.0', id: 5, method: 'ping', params: null })).status).toBe(202);
    const [, data] = (await client.event()) ?? [];
    expect(JSON.parse(data ?? '')).toEqual({ jsonrpc: '2.0', id: 5, result: {} });
  });

  it('authenticates each POST: 401 without a valid token, 404 for another identity', async () => {
    await using gateway = await startGateway();
    const client = await open(gateway, gateway.token('me'));
    expect((await client.post(initialize(), 'wrong')).status).toBe(401);
    expect((await client.post(initialize(), gateway.token('you'))).status).toBe(404);
    expect((await client.post(initialize(), gateway.token('me'))).status).toBe(202);
  });
});

describe('HTTP+SSE', () => {
  it.each([
    ['text that is not JSON', '{', 400],
    ['JSON that is not a message', '{}', 400],
    ['a batch', '[]', 400],
    ['too many levels', nestedMessage(9_000), 400],
    ['too many bytes', `"${'x'.repeat(5_000_000)}"`, 413],
  ])('rejects a POST with %s', async (_what, body, status) => {
    await using gateway = await startGateway();
    const client = await open(gateway, gateway.token('me'));
    expect((await client.post(body)).status).toBe(status);
  });

  it('rejects a POST without session id with 400, and with an unknown one with 404', async () => {
    await using gateway = await startGateway();
    const token = gateway.token('me');
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    const send = (query: string) => fetch(`${gateway.url}/sse${query}`, { method: 'POST', headers, body: '{}' });
    expect((await send('')).status).toBe(400);
    expect((await send('?sessionId=0')).status).toBe(404);
    const client = await open(gateway, token);
    await gateway.downstream.stop();
    expect(await client.event()).toBeUndefined();
    expect((await client.post(initialize())).status).toBe(404);
  });

  it('sends keep-alive comments, and ends the stream and the session when the token expires', async () => {
    const clock = createManualClock();
    await using gateway = await startGateway({ clock });
    const client = await open(gateway, gateway.token('me', clock.now() + 60_000));
    clock.advance(15_000);
    await client.lines.next();
    expect((await client.lines.next()).value).toBe(': keep-alive');
    clock.advance(45_000);
    expect(await client.event()).toBeUndefined();
    expect((await client.post(initialize(), gateway.token('me'))).status).toBe(404);
  });

  it('cancels requests to targets when the client disconnects', async () => {
    await using rig = await startTargetRig(() => undefined);
    const { target, gateway } = rig;
    gateway.config.allow('n.p', 'me', 'tool', '*');
    const client = await open(gateway, gateway.token('me'));
    await client.post(initialize());
    await client.post({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'a:slow' } });
    await target.arrival('tools/call');
    await client.lines.return(undefined);
    await target.disconnected;
  });
});

const call = (id: string, name: string) => ({ jsonrpc: '2.0', id, method: 'tools/call', params: { name } });

describe('a POST of HTTP+SSE', () => {
  it('with an id that is in flight is refused, and the first request gets its answer', async () => {
    const go = Promise.withResolvers<void>();
    await using rig = await startTargetRig(async ({ params }) => {
      await go.promise;
      return { result: { of: params['name'] } };
    });
    const { target, gateway } = rig;
    gateway.config.allow('n.p', 'me', 'tool', '*');
    const client = await open(gateway, gateway.token('me'));
    await client.post(initialize());
    await client.event();
    expect((await client.post(call('same', 'a:x'))).status).toBe(202);
    await target.arrival('tools/call');
    expect((await client.post(call('same', 'a:y'))).status).toBe(400);
    go.resolve();
    const [, data] = (await client.event()) ?? [];
    expect(JSON.parse(data ?? '')).toEqual({ jsonrpc: '2.0', id: 'same', result: { of: 'x' } });
    expect(target.received.filter(({ method }) => method === 'tools/call')).toHaveLength(1);
  });

  it('may do what its token and that of the stream both allow, because the answer goes to the stream', async () => {
    await using rig = await startTargetRig(() => ({ result: { content: [] } }));
    const { target, gateway } = rig;
    gateway.config.allow('n.p', 'more', 'tool', '*');
    const more = gateway.token('me', undefined, 'more');
    const client = await open(gateway, gateway.token('me', undefined, 'less'));
    await client.post(initialize());
    await client.event();
    await client.post(call('a', 'a:x'), more);
    const [, data] = (await client.event()) ?? [];
    expect(JSON.parse(data ?? '')).toMatchObject({
      id: 'a',
      error: { message: expect.stringContaining('not allowed') },
    });
    expect(target.received).toEqual([]);
    const own = await open(gateway, more);
    await own.post(initialize());
    await own.event();
    await own.post(call('a', 'a:x'), gateway.token('me', undefined, 'more'));
    expect(JSON.parse((await own.event())?.[1] ?? '')).toMatchObject({ id: 'a', result: { content: [] } });
  });
});

describe('a POST of HTTP+SSE', () => {
  it('that was accepted is answered after the end of the token, with which nothing new is accepted', async () => {
    const clock = createManualClock();
    const go = Promise.withResolvers<void>();
    await using rig = await startTargetRig(
      async () => {
        await go.promise;
        return { result: { content: [] } };
      },
      { clock },
    );
    const { target, gateway } = rig;
    gateway.config.allow('n.p', 'me', 'tool', '*');
    const client = await open(gateway, gateway.token('me', clock.now() + 3_000));
    await client.post(initialize());
    await client.event();
    await client.post(call('a', 'a:x'));
    await target.arrival('tools/call');
    clock.advance(10_000);
    const refreshed = gateway.token('me');
    expect((await client.post(call('b', 'a:x'), refreshed)).status).toBe(404);
    gateway.config.putTarget(target.target('b'));
    go.resolve();
    expect(JSON.parse((await client.event())?.[1] ?? '')).toEqual({ jsonrpc: '2.0', id: 'a', result: { content: [] } });
    expect(await client.event()).toBeUndefined();
  });
});

describe('a POST whose token only lacks a scope', () => {
  const call = { jsonrpc: '2.0', id: 7, method: 'tools/call', params: { name: 'a:x' } };

  it('is answered with 403 and the challenge, as over Streamable HTTP, and another token on the stream does the same', async () => {
    await using rig = await startTargetRig(() => ({ result: { content: [] } }));
    const { gateway } = rig;
    gateway.config.allow('n.p', 'reports:read', 'tool', 'a:x', 'scope');
    const able = gateway.token('me', undefined, 'me', { scope: 'reports:read' });
    const client = await open(gateway, able);
    await client.post(initialize());
    await client.event();
    const refused = await client.post(call, gateway.token('me'));
    expect([refused.status, refused.headers.get('www-authenticate')]).toEqual([
      403,
      'Bearer error="insufficient_scope", scope="reports:read"',
    ]);
    expect(await refused.json()).toMatchObject({ id: 7, error: { message: 'The token lacks the scope reports:read' } });
    expect(rig.target.asked).toEqual([]);
    expect((await client.post(call)).status).toBe(202);
    const [, data] = (await client.event()) ?? [];
    expect(JSON.parse(data ?? '')).toEqual({ jsonrpc: '2.0', id: 7, result: { content: [] } });
  });

  it('gets the error on the stream when it is the token of the stream that lacks it', async () => {
    await using rig = await startTargetRig(() => ({ result: { content: [] } }));
    const { gateway } = rig;
    gateway.config.allow('n.p', 'reports:read', 'tool', 'a:x', 'scope');
    const client = await open(gateway, gateway.token('me'));
    await client.post(initialize());
    await client.event();
    expect((await client.post(call, gateway.token('me', undefined, 'me', { scope: 'reports:read' }))).status).toBe(202);
    const [, data] = (await client.event()) ?? [];
    expect(JSON.parse(data ?? '')).toMatchObject({ id: 7, error: { message: 'not allowed: tool a:x' } });
    expect(rig.target.asked).toEqual([]);
  });
});
