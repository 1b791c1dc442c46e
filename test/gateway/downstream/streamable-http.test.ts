import { request } from 'node:http';
import { describe, expect, it } from 'vitest';
import type { Clock } from '../../../src/edges.ts';
import { createManualClock } from '../../support/edges/manual-clock.ts';
import { startGateway } from '../../support/gateway/gateway-rig.ts';
import { startTargetRig } from '../../support/gateway/target-rig.ts';
import { initialize, linesOf, nestedMessage, openRawClient, post } from '../../support/nodes/raw-client.ts';
import { openTextClient } from '../../support/nodes/text-client.ts';

const list = { jsonrpc: '2.0', id: 1, method: 'tools/list' };

describe('the handshake', () => {
  it.each([
    ['2025-11-25', '2025-11-25'],
    ['2025-06-18', '2025-06-18'],
    ['2025-03-26', '2025-03-26'],
    ['2024-11-05', '2024-11-05'],
    ['2099-01-01', '2025-11-25'],
    ['', '2025-11-25'],
  ])('with protocol version "%s" negotiates %s', async (asked, agreed) => {
    await using gateway = await startGateway();
    const response = await post(gateway, gateway.token('me'), undefined, initialize(asked));
    expect(response.status).toBe(200);
    const id = response.headers.get('mcp-session-id');
    expect(id).toMatch(/^[0-9a-f]{32}$/);
    const text = await response.text();
    expect(JSON.parse(text.slice(text.indexOf('{')))).toMatchObject({
      result: {
        protocolVersion: agreed,
        serverInfo: { name: 'gatehouse' },
        capabilities: {
          tools: { listChanged: true },
          prompts: { listChanged: true },
          resources: { listChanged: true },
          completions: {},
        },
      },
    });
  });

  it('is not part of 2026-07-28: a request without its headers is refused by its id', async () => {
    await using gateway = await startGateway();
    const _meta = {
      'io.modelcontextprotocol/protocolVersion': '2026-07-28',
      'io.modelcontextprotocol/clientCapabilities': {},
    };
    const discover = { jsonrpc: '2.0', id: 'd', method: 'server/discover', params: { _meta } };
    const response = await post(gateway, gateway.token('me'), undefined, discover, {
      'mcp-protocol-version': '2026-07-28',
    });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({
      id: 'd',
      error: { code: -32020, message: expect.stringContaining('Mcp-Method') },
    });
  });
});

it.each(['/mcp/', '/sse/'] as const)('%s is answered as without its slash', async (path) => {
  await using gateway = await startGateway();
  await using client = await openTextClient(gateway, path, gateway.token('me'));
  expect(await client.request('{"jsonrpc":"2.0","id":1,"method":"ping"}')).toEqual([
    '{"jsonrpc":"2.0","id":1,"result":{}}',
  ]);
  expect((await fetch(`${gateway.url}${path}/`)).status).toBe(404);
});

describe('a request', () => {
  it('without a valid token gets 401 and a challenge, with and without a session', async () => {
    await using gateway = await startGateway();
    const client = await openRawClient(gateway, gateway.token('me'));
    for (const token of [undefined, 'wrong', gateway.token('me', 0)]) {
      for (const sessionId of [undefined, client.sessionId]) {
        const response = await post(gateway, token, sessionId, list);
        expect(response.status).toBe(401);
        expect(response.headers.get('www-authenticate')).toContain('Bearer');
      }
    }
  });

  it('gets 503 while no keys are available', async () => {
    await using gateway = await startGateway();
    const token = gateway.token('me');
    const { sessionId } = await openRawClient(gateway, token);
    gateway.loseKeys();
    const response = await post(gateway, token, sessionId, list);
    expect(response.status).toBe(503);
    expect(response.headers.get('www-authenticate')).toBeNull();
  });

  it('without session id gets 400, with an unknown one or one of another identity 404', async () => {
    await using gateway = await startGateway();
    const token = gateway.token('me');
    const { sessionId } = await openRawClient(gateway, token);
    const foreign = gateway.token('you');
    for (const method of ['POST', 'GET', 'DELETE']) {
      const status = async (as: string, id?: string): Promise<number> => {
        const headers: Record<string, string> = {
          authorization: `Bearer ${as}`,
          accept: 'application/json, text/event-stream',
          'content-type': 'application/json',
        };
        if (id !== undefined) headers['mcp-session-id'] = id;
        const body = method === 'POST' ? { body: JSON.stringify(list) } : {};
        const response = await fetch(`${gateway.url}/mcp`, { method, headers, ...body });
        await response.text();
        return response.status;
      };
      expect([await status(token), await status(token, 'f'.repeat(32)), await status(foreign, sessionId)]).toEqual([
        400, 404, 404,
      ]);
    }
  });

  it('with an unsupported protocol version gets 400', async () => {
    await using gateway = await startGateway();
    const token = gateway.token('me');
    const { sessionId } = await openRawClient(gateway, token);
    const response = await post(gateway, token, sessionId, list, { 'mcp-protocol-version': '1999-01-01' });
    expect(response.status).toBe(400);
  });
});

describe('the Accept header', () => {
  const both = ['application/json, text/event-stream', '*/*', 'application/*, text/*', '*/*;q=0.1, text/html', ''];
  const streams = ['text/event-stream', 'text/*', '*/*, application/json;q=0'];
  const neither = ['text/html', 'image/*', '*/*;q=0', 'text/event-stream;q=0, */*;q=0', 'application/json-x'];

  it.each([
    ...both.map((accept) => [accept, 200, 200] as const),
    ...streams.map((accept) => [accept, 406, 200] as const),
    ...neither.map((accept) => [accept, 406, 406] as const),
    ['application/json', 406, 406],
    ['TEXT/EVENT-STREAM ; Q=0.5 , Application/JSON', 200, 200],
  ] as const)('"%s" is answered with %d to POST and %d to GET', async (accept, posted, got) => {
    await using gateway = await startGateway();
    const client = await openRawClient(gateway, gateway.token('me'));
    const status = async (method: string, body?: string): Promise<number | undefined> => {
      const answered = Promise.withResolvers<number | undefined>();
      const headers = {
        authorization: `Bearer ${gateway.token('me')}`,
        'content-type': 'application/json',
        'mcp-session-id': client.sessionId,
        ...(accept === '' ? {} : { accept }),
      };
      const asking = request(`${gateway.url}/mcp`, { method, headers }, (response) => {
        answered.resolve(response.statusCode);
        response.destroy();
      });
      asking.on('error', answered.reject).end(body);
      return answered.promise;
    };
    expect(await status('POST', JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'ping' }))).toBe(posted);
    expect(await status('GET')).toBe(got);
  });
});

describe('a body', () => {
  it.each([
    ['text that is not JSON', '{', 400, -32700],
    ['nothing', '', 400, -32700],
    ['JSON that is not a message', '{"jsonrpc":"1.0"}', 400, -32700],
    ['a number', '7', 400, -32700],
    ['null', 'null', 400, -32700],
    ['a batch', JSON.stringify([list]), 400, -32600],
    ['an empty batch', '[]', 400, -32600],
    ['too many levels', nestedMessage(9_000), 400, -32600],
    ['too many bytes', `"${'x'.repeat(5_000_000)}"`, 413, -32000],
  ])('with %s is rejected', async (_what, body, status, code) => {
    await using gateway = await startGateway();
    const token = gateway.token('me');
    const { sessionId } = await openRawClient(gateway, token);
    const response = await post(gateway, token, sessionId, body);
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ error: { code } });
    expect((await post(gateway, token, undefined, body)).status).toBe(status);
  });

  it('may be a batch in 2025-03-26, and each message is authorized', async () => {
    await using rig = await startTargetRig(() => ({ result: { content: [] } }));
    const { gateway } = rig;
    gateway.config.allow('n.p', 'me', 'tool', 'a:x');
    const token = gateway.token('me');
    const { sessionId } = await openRawClient(gateway, token, '2025-03-26');
    const call = (id: number, name: string) => ({ jsonrpc: '2.0', id, method: 'tools/call', params: { name } });
    const response = await post(gateway, token, sessionId, [call(1, 'a:x'), call(2, 'a:y')]);
    const answers = (await response.text()).split('\n').filter((line) => line.startsWith('data: '));
    const byId = answers.map((line) => JSON.parse(line.slice(6))).toSorted((one, other) => one.id - other.id);
    expect(byId).toMatchObject([
      { id: 1, result: { content: [] } },
      { id: 2, error: { code: -32600 } },
    ]);
  });
});

describe('a request', () => {
  it.each([
    ['PUT', '/mcp', 405],
    ['DELETE', '/sse', 405],
    ['GET', '/', 404],
    ['GET', '/mcp//', 404],
    ['GET', '//', 404],
    ['GET', '/sse%00', 404],
  ])('%s %s gets %d', async (method, path, status) => {
    await using gateway = await startGateway();
    const response = await fetch(gateway.url + path, {
      method,
      headers: { authorization: `Bearer ${gateway.token('me')}` },
    });
    expect(response.status).toBe(status);
  });
});

describe('the id of a request', () => {
  /** A target whose answers to calls wait for `go`, and name the tool. */
  async function startSlowRig(options: { readonly clock?: Clock } = {}) {
    const go = Promise.withResolvers<void>();
    const rig = await startTargetRig(async ({ params }) => {
      await go.promise;
      return { result: { of: params['name'] } };
    }, options);
    rig.gateway.config.allow('n.p', 'me', 'tool', '*');
    return { ...rig, go: go.resolve };
  }

  it.each([
    ['the same token', 'me'],
    ['a token of the same identity with other claims', 'less'],
  ])('is refused while it is in flight, from %s, and the first request gets its answer', async (_who, sub) => {
    await using rig = await startSlowRig();
    const { target, gateway } = rig;
    const client = await openRawClient(gateway, gateway.token('me'));
    const first = client.request('tools/call', { name: 'a:x' }, { id: 'same' });
    await target.arrival('tools/call');
    const repeated = { jsonrpc: '2.0', id: 'same', method: 'tools/call', params: { name: 'a:y' } };
    const second = await post(gateway, gateway.token('me', undefined, sub), client.sessionId, repeated);
    expect(second.status).toBe(400);
    expect(await second.json()).toMatchObject({ id: 'same', error: { message: expect.stringContaining('in flight') } });
    rig.go();
    expect((await first).result).toEqual({ of: 'x' });
    expect((await client.request('tools/call', { name: 'a:z' }, { id: 'same' })).result).toEqual({ of: 'z' });
    const called = target.received.filter(({ method }) => method === 'tools/call');
    expect(called.map(({ params }) => params['name'])).toEqual(['x', 'z']);
  });

  it('may not be twice in a batch, of which nothing reaches the target then', async () => {
    await using rig = await startSlowRig();
    const { target, gateway } = rig;
    const token = gateway.token('me');
    const { sessionId } = await openRawClient(gateway, token, '2025-03-26');
    const call = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'a:x' } };
    expect((await post(gateway, token, sessionId, [call, call])).status).toBe(400);
    expect(target.asked).toEqual([]);
  });

  it('of a cancelled request is free again, and the others of its batch are answered', async () => {
    await using rig = await startSlowRig();
    const { target, gateway } = rig;
    const token = gateway.token('me');
    const client = await openRawClient(gateway, token, '2025-03-26');
    const call = (id: number, name: string) => ({ jsonrpc: '2.0', id, method: 'tools/call', params: { name } });
    const batch = post(gateway, token, client.sessionId, [call(1, 'a:x'), call(2, 'a:y')]);
    await target.arrival('tools/call', 2);
    await client.notify('notifications/cancelled', { requestId: 1 });
    const again = client.request('tools/call', { name: 'a:z' }, { id: 1 });
    rig.go();
    expect((await again).result).toEqual({ of: 'z' });
    const answers = (await (await batch).text()).split('\n').filter((line) => line.startsWith('data: '));
    expect(answers.map((line) => JSON.parse(line.slice(6)))).toEqual([{ jsonrpc: '2.0', id: 2, result: { of: 'y' } }]);
  });
});

describe('a session', () => {
  it('ends with DELETE, and is unknown after that', async () => {
    await using gateway = await startGateway();
    const token = gateway.token('me');
    const client = await openRawClient(gateway, token);
    const stream = await client.listen();
    const headers = { authorization: `Bearer ${token}`, 'mcp-session-id': client.sessionId };
    expect((await fetch(`${gateway.url}/mcp`, { method: 'DELETE', headers })).status).toBe(200);
    expect(await stream.next()).toBeUndefined();
    expect((await post(gateway, token, client.sessionId, list)).status).toBe(404);
  });

  it('is closed after half an hour without a request or a stream', async () => {
    const clock = createManualClock();
    await using gateway = await startGateway({ clock });
    const token = gateway.token('me');
    const busy = await openRawClient(gateway, token);
    const idle = await openRawClient(gateway, token);
    const stream = await busy.listen();
    for (let minutes = 0; minutes < 30; minutes += 5) {
      clock.advance(5 * 60_000);
      // The comments on the open stream are taken.
      await new Promise(setImmediate);
    }
    expect((await post(gateway, token, busy.sessionId, list)).status).toBe(200);
    expect((await post(gateway, token, idle.sessionId, list)).status).toBe(404);
    await gateway.downstream.stop();
    expect(await stream.next()).toBeUndefined();
  });
});

describe('streams', () => {
  it('of a GET end when its token expires, also in a session of another token', async () => {
    const clock = createManualClock();
    await using rig = await startTargetRig(() => undefined, { clock });
    const { target, gateway } = rig;
    const longLived = await openRawClient(gateway, gateway.token('me'));
    const shortLived = gateway.token('me', clock.now() + 60_000);
    const stream = await longLived.listen(shortLived);
    clock.advance(60_000);
    expect(await stream.next()).toBeUndefined();
    expect((await post(gateway, shortLived, longLived.sessionId, list)).status).toBe(401);
    const own = await longLived.listen();
    gateway.config.putTarget(target.target('b'));
    expect(await own.next()).toMatchObject({ method: 'notifications/tools/list_changed' });
  });

  it('of a call stay until it is answered, although its token expires meanwhile', async () => {
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
    const client = await openRawClient(gateway, gateway.token('me', clock.now() + 3_000));
    const calling = client.request('tools/call', { name: 'a:slow' });
    await target.arrival('tools/call');
    clock.advance(10_000);
    go.resolve();
    expect((await calling).result).toEqual({ content: [] });
  });

  it('of a call end with an error a minute after its token has expired, and the target is told', async () => {
    const clock = createManualClock();
    await using rig = await startTargetRig(() => undefined, { clock });
    const { target, gateway } = rig;
    gateway.config.allow('n.p', 'me', 'tool', '*');
    const client = await openRawClient(gateway, gateway.token('me', clock.now() + 3_000));
    const calling = client.request('tools/call', { name: 'a:never' });
    const { id } = await target.arrival('tools/call');
    clock.advance(63_000);
    expect((await calling).error).toMatchObject({ message: 'The token has expired' });
    expect((await target.arrival('notifications/cancelled')).params).toMatchObject({ requestId: id });
  });
});

describe('streams', () => {
  it('of a session are replaced by the last GET', async () => {
    await using gateway = await startGateway();
    const client = await openRawClient(gateway, gateway.token('me'));
    const lingering = await client.listen();
    const stream = await client.listen();
    expect(await lingering.next()).toBeUndefined();
    gateway.config.putTarget({ name: 'a', host: '127.0.0.1', port: 1, path: '' });
    expect(await stream.next()).toMatchObject({ method: 'notifications/tools/list_changed' });
  });

  it('get keep-alive comments', async () => {
    const clock = createManualClock();
    await using gateway = await startGateway({ clock });
    const token = gateway.token('me');
    const { sessionId } = await openRawClient(gateway, token);
    const headers = { authorization: `Bearer ${token}`, accept: 'text/event-stream', 'mcp-session-id': sessionId };
    const lines = linesOf(await fetch(`${gateway.url}/mcp`, { headers }));
    clock.advance(15_000);
    expect((await lines.next()).value).toBe(': keep-alive');
    clock.advance(15_000);
    await lines.next();
    expect((await lines.next()).value).toBe(': keep-alive');
  });
});
