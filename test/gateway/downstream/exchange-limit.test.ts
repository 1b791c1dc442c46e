import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { expect, it, onTestFinished, vi } from 'vitest';
import { type GatewayRig, startGateway } from '../../support/gateway/gateway-rig.ts';
import { startTargetRig } from '../../support/gateway/target-rig.ts';
import { openRawClient, post } from '../../support/nodes/raw-client.ts';

/** Sends a request whose body does not end, so that it is being answered until the connection is closed. */
async function hold(gateway: GatewayRig, token: string): Promise<Socket> {
  const { port, hostname } = new URL(gateway.url);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => {}).resume();
  await once(socket, 'connect');
  const head = ['POST /mcp HTTP/1.1', 'Host: localhost', `Authorization: Bearer ${token}`, 'Content-Length: 9'];
  socket.write(`${head.join('\r\n')}\r\n\r\n1`);
  return socket;
}

async function ask(
  gateway: GatewayRig,
  token: string,
  { headers, body = '{}', ...init }: Asked = {},
): Promise<Response> {
  return fetch(`${gateway.url}/mcp`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...headers },
    body,
    ...init,
  });
}

/** Asks until it is not too much any more. Returns the status. */
async function firstUnlimited(gateway: GatewayRig, token: string): Promise<number> {
  const { status } = await ask(gateway, token);
  return status === 429 ? firstUnlimited(gateway, token) : status;
}

/** A target that answers every call once `go` has settled, to a caller who may call everything. */
async function startHeldTarget(go: Promise<void>): ReturnType<typeof startTargetRig> {
  const rig = await startTargetRig(async () => {
    await go;
    return { result: {} };
  });
  rig.gateway.config.allowAll('n.p', 'me');
  return rig;
}

interface Asked {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly signal?: AbortSignal;
}

it('one caller has 2,048 requests and event streams open at most, and another is answered meanwhile', async () => {
  await using gateway = await startGateway();
  const [token, other] = [gateway.token('me'), gateway.token('you')];
  const held = await Promise.all(Array.from({ length: 2_048 }, () => hold(gateway, token)));

  let refused = await ask(gateway, token);
  // Those that are held may arrive later than this one.
  while (refused.status === 400) refused = await ask(gateway, token);
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '5']);
  expect(await refused.json()).toMatchObject({
    error: { message: 'You have 2048 requests and event streams open: close some' },
  });
  const parse = vi.spyOn(JSON, 'parse');
  onTestFinished(() => void parse.mockRestore());
  expect((await ask(gateway, gateway.token('me'), { body: '{"of":"the refused"}' })).status).toBe(429);
  expect(parse.mock.calls.filter(([text]) => String(text).includes('the refused'))).toEqual([]);
  expect((await ask(gateway, other)).status).toBe(400);
  expect(gateway.counters.total('gatehouse_gateway_requests_refused_total', { reason: 'caller' })).toBe(2);
  expect(gateway.log.lines.filter(({ message }) => message.startsWith('requests are refused'))).toHaveLength(1);

  for (const socket of held) socket.destroy();
  expect(await firstUnlimited(gateway, token)).toBe(400);
});

it('a call whose client has disconnected counts until the target has answered', async () => {
  const go = Promise.withResolvers<void>();
  await using rig = await startHeldTarget(go.promise);
  const { gateway } = rig;
  const token = gateway.token('me');
  // A session has 256 requests in flight at most.
  const sessions: string[] = [];
  while (sessions.length < 9) sessions.push((await openRawClient(gateway, token)).sessionId);
  const call = async (sessionId: string, id: number): Promise<number> => {
    const abort = new AbortController();
    const headers = { 'mcp-session-id': sessionId, accept: 'application/json, text/event-stream' };
    const message = { jsonrpc: '2.0', id, method: 'tools/call', params: { name: 'a:x' } };
    const { status } = await ask(gateway, token, { headers, body: JSON.stringify(message), signal: abort.signal });
    abort.abort();
    return status;
  };
  const statuses: number[] = [];
  for (const sessionId of sessions) {
    statuses.push(...(await Promise.all(Array.from({ length: 256 }, (_, id) => call(sessionId, id)))));
  }
  expect(statuses.filter((status) => status === 200)).toHaveLength(2_048);
  expect((await ask(gateway, token)).status).toBe(429);
  go.resolve();
  expect(await firstUnlimited(gateway, token)).toBe(400);
});

it('a request beyond those that a session may have in flight is refused at once: without a decision and a stream', async () => {
  const go = Promise.withResolvers<void>();
  await using rig = await startHeldTarget(go.promise);
  const { gateway } = rig;
  const [client, other] = [await rig.open(), await rig.open()];
  const params = { name: 'a:x' };
  const calls = Array.from({ length: 256 }, (_, id) => client.request('tools/call', params, { id }));
  // The one that is cancelled below.
  const cancelled = expect(calls[0]).rejects.toThrow('without an answer');
  await rig.target.arrival('tools/call', 256);
  const decisions = () => gateway.counters.total('gatehouse_gateway_decisions_total');
  const before = decisions();
  for (let id = 300; id < 310; id += 1) {
    const message = { jsonrpc: '2.0', id, method: 'tools/call', params };
    const refused = await post(gateway, gateway.token('me'), client.sessionId, message);
    expect([refused.status, refused.headers.get('content-type')]).toEqual([200, 'application/json']);
    expect(await refused.json()).toMatchObject({
      id,
      error: { code: -32000, message: expect.stringContaining('More than 256') },
    });
  }
  expect(decisions()).toBe(before);
  // What is no request has room, so that the client can cancel one, and so have other sessions.
  expect((await client.notify('notifications/cancelled', { requestId: 0 })).status).toBe(202);
  const again = client.request('tools/call', params, { id: 310 });
  const elsewhere = other.request('tools/call', params);
  await rig.target.arrival('tools/call', 258);
  go.resolve();
  for (const { result } of await Promise.all([again, elsewhere, ...calls.slice(1)])) expect(result).toEqual({});
  await cancelled;
});
