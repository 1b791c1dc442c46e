import { createServer, type RequestListener, type ServerResponse } from 'node:http';
import { expect, it } from 'vitest';
import { createFastClock } from '../../support/edges/fast-clock.ts';
import { createManualClock } from '../../support/edges/manual-clock.ts';
import { portOf, startGateway } from '../../support/gateway/gateway-rig.ts';
import type { Script } from '../../support/gateway/raw-target.ts';
import { startTargetRig } from '../../support/gateway/target-rig.ts';
import { openRawClient } from '../../support/nodes/raw-client.ts';

const uri = 'mcp://a/x%3Ay';

const event = (method: string, params = {}): string =>
  `data: ${JSON.stringify({ jsonrpc: '2.0', method, params })}\n\n`;

const said = [event('notifications/resources/updated', { uri: 'x:y' }), event('notifications/message', { data: 'hi' })];

/** A target of Streamable HTTP whose sessions end when the test restarts it. */
function createRestarting() {
  let session = 1;
  let stream: ServerResponse | undefined;
  let streams = 0;
  const id = (): string => `session-${session}`;
  const script: Script = ({ headers }) => (headers['mcp-session-id'] === id() ? { result: {} } : { status: 404 });
  const get: RequestListener = (request, response) => {
    if (request.headers['mcp-session-id'] !== id()) return void response.writeHead(404).end();
    stream = response.writeHead(200, { 'content-type': 'text/event-stream' });
    stream.flushHeaders();
    streams += 1;
  };
  return {
    script,
    get,
    id,
    opened: (count: number) => expect.poll(() => streams).toBe(count),
    say: () => stream?.write(said.join('')),
    restart() {
      session += 1;
      stream?.end();
    },
  };
}

it('after its restart a target is heard again without a call, and knows what the client had subscribed to', async () => {
  const restarting = createRestarting();
  const clock = createFastClock(10);
  const { script, get, id: sessionId } = restarting;
  await using rig = await startTargetRig(script, { clock, get, sessionId });
  rig.gateway.config.allowAll('ns.all', 'me');
  const client = await rig.open();
  const heard = await client.listen();
  await client.request('logging/setLevel', { level: 'debug' });
  await client.request('resources/subscribe', { uri });
  await restarting.opened(1);

  restarting.restart();
  expect((await rig.target.arrival('initialize', 2)).params).toHaveProperty('capabilities');
  expect((await rig.target.arrival('logging/setLevel', 2)).params).toEqual({ level: 'debug' });
  expect((await rig.target.arrival('resources/subscribe', 2)).params).toEqual({ uri: 'x:y' });
  await restarting.opened(2);
  // What has changed meanwhile is not known.
  for (const list of ['tools', 'prompts', 'resources']) {
    expect((await heard.next())?.['method']).toBe(`notifications/${list}/list_changed`);
  }
  restarting.say();
  expect(await heard.next()).toMatchObject({ method: 'notifications/resources/updated', params: { uri } });
  expect(await heard.next()).toMatchObject({ method: 'notifications/message', params: { data: 'hi' } });
  expect(rig.target.received.filter(({ method }) => method === 'initialize')).toHaveLength(2);
});

it('a subscription that a target refuses after its restart is told of in the log, and leaves the others', async () => {
  const restarting = createRestarting();
  const clock = createFastClock(10);
  const { get, id: sessionId } = restarting;
  const isGone = (params: Readonly<Record<string, unknown>>): boolean => params['uri'] === 'x:gone';
  const script: Script = (message, say) => {
    if (sessionId() === 'session-1') return restarting.script(message, say);
    if (message.method === 'logging/setLevel') return { error: { code: -32603, message: 'no' } };
    return isGone(message.params) ? { error: { code: -32002, message: 'gone' } } : restarting.script(message, say);
  };
  await using rig = await startTargetRig(script, { clock, get, sessionId });
  rig.gateway.config.allowAll('ns.all', 'me');
  const client = await rig.open();
  await client.listen();
  await client.request('logging/setLevel', { level: 'debug' });
  for (const name of ['gone', 'y', 'z']) {
    expect((await client.request('resources/subscribe', { uri: `mcp://a/x%3A${name}` })).error).toBeUndefined();
  }
  await restarting.opened(1);
  restarting.restart();
  await rig.target.arrival('resources/subscribe', 6);
  const message = 'a target that was connected to again refuses subscriptions of before';
  await expect
    .poll(() => rig.gateway.log.lines.filter((line) => line.message === message))
    .toMatchObject([{ fields: { target: 'a', requests: 1, because: 'gone' } }]);
});

it('a call whose stream cannot be resumed is not made again, although the session may be lost', async () => {
  for (const status of [400, 404]) {
    const calls: unknown[] = [];
    const script: Script = ({ method, id }) => {
      if (method !== 'tools/call') return { result: {} };
      calls.push(id);
      return { raw: 'text/event-stream', chunks: ['id: 1\ndata:\n\n'] };
    };
    const get: RequestListener = (_, response) => response.writeHead(status).end();
    await using rig = await startTargetRig(script, { clock: createFastClock(10), get, sessionId: 's' });
    rig.gateway.config.allowAll('ns.all', 'me');
    // Of a revision whose streams do not end while the answer is waited for.
    const client = await openRawClient(rig.gateway, rig.gateway.token('me'), '2025-06-18');
    const { error } = await client.request('tools/call', { name: 'a:x' });
    expect(error).toEqual({ code: -32000, message: 'Target a does not answer' });
    expect(calls).toHaveLength(1);
  }
});

it('a target of HTTP+SSE whose stream ends is connected to again, and what was subscribed to there, too', async () => {
  const posted: string[] = [];
  let stream: ServerResponse | undefined;
  const answer = (id: unknown, method: string): void => {
    const result = { protocolVersion: '2025-03-26', capabilities: { resources: { subscribe: true } } };
    posted.push(method);
    if (id !== undefined) stream?.write(`data: ${JSON.stringify({ jsonrpc: '2.0', id, result })}\n\n`);
  };
  const server = createServer(async (request, response) => {
    if (request.method === 'GET') {
      stream = response.writeHead(200, { 'content-type': 'text/event-stream' });
      return void stream.write('event: endpoint\ndata: /message\n\n');
    }
    if (request.url === '/sse') return void response.writeHead(405).end();
    let text = '';
    for await (const chunk of request) text += String(chunk);
    const { id, method } = JSON.parse(text);
    response.writeHead(202).end();
    return answer(id, method);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  await using gateway = await startGateway({ clock: createFastClock(10) });
  gateway.config.putTarget({ name: 'a', host: '127.0.0.1', port: portOf(server.address()), path: '/sse' });
  gateway.config.allowAll('ns.all', 'me');
  const client = await openRawClient(gateway, gateway.token('me'));
  const heard = await client.listen();
  await client.request('resources/subscribe', { uri });

  stream?.end();
  await expect.poll(() => posted.filter((method) => method === 'resources/subscribe').length).toBe(2);
  for (const list of ['tools', 'prompts', 'resources']) {
    expect((await heard.next())?.['method']).toBe(`notifications/${list}/list_changed`);
  }
  stream?.write(said[0] ?? '');
  expect(await heard.next()).toMatchObject({ method: 'notifications/resources/updated', params: { uri } });
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

it('a target that refuses the new connection is not asked again before the next call', async () => {
  const restarting = createRestarting();
  const { script, get, id: sessionId } = restarting;
  const clock = createManualClock();
  let refuses = false;
  let handshakes = 0;
  await using rig = await startTargetRig(script, {
    clock,
    get,
    sessionId,
    fetchFor: () => (url, init) => {
      const isHandshake = String(init.body).includes('"initialize"');
      if (isHandshake) handshakes += 1;
      return isHandshake && refuses ? Promise.resolve(new Response(null, { status: 401 })) : fetch(url, init);
    },
  });
  rig.gateway.config.allowAll('ns.all', 'me');
  const client = await rig.open();
  await client.request('tools/call', { name: 'a:x' });
  await restarting.opened(1);
  refuses = true;
  const soon = (): readonly number[] => clock.waiting().filter((delay) => delay <= 1_000);
  // The end of the stream, and of the session.
  for (const ends of [() => restarting.restart(), () => clock.advance(1_000)]) {
    ends();
    await expect.poll(soon).toHaveLength(1);
  }
  clock.advance(1_000);
  await expect.poll(() => handshakes).toBe(2);
  await client.request('ping');
  expect(soon()).toEqual([]);
  refuses = false;
  expect((await client.request('tools/call', { name: 'a:x' })).result).toEqual({});
});
