import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { describe, expect, it } from 'vitest';
import { createManualClock } from '../../support/edges/manual-clock.ts';
import type { Script } from '../../support/gateway/raw-target.ts';
import { startTargetRig, type TargetRig } from '../../support/gateway/target-rig.ts';
import { createTaskServer, withTasks } from '../../support/gateway/task-server.ts';
import { initialize, linesOf, post } from '../../support/nodes/raw-client.ts';
import { ask, key } from '../../support/nodes/stateless-client.ts';

it('a drain lets requests in flight end, and refuses new ones with a status that clients retry', async () => {
  const answered = Promise.withResolvers<{ readonly result: Readonly<Record<string, unknown>> }>();
  await using rig = await startTargetRig(({ method }) => (method === 'tools/call' ? answered.promise : { result: {} }));
  const { gateway, target } = rig;
  gateway.config.allowAll('ns.all', 'me');
  const client = await rig.open();
  const calling = client.request('tools/call', { name: 'a:slow' });
  await target.arrival('tools/call');

  const drained = gateway.downstream.drain(10_000);
  for (const [session, message] of [
    [undefined, initialize()],
    [client.sessionId, { jsonrpc: '2.0', id: 8, method: 'tools/list' }],
  ] as const) {
    const refused = await post(gateway, gateway.token('me'), session, message);
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
  it('ends the streams of sessions with the time after which their clients connect elsewhere, the busy one’s last', async () => {
    const { rig, answered } = await startRig();
    await using _ = rig;
    const { gateway, target } = rig;
    const [client, idle] = [await rig.open(), await rig.open()];
    const streamOf = async (sessionId: string) => {
      const headers = { authorization: `Bearer ${gateway.token('me')}`, accept: 'text/event-stream' };
      return linesOf(await fetch(`${gateway.url}/mcp`, { headers: { ...headers, 'mcp-session-id': sessionId } }));
    };
    const [busyLines, idleLines] = [await streamOf(client.sessionId), await streamOf(idle.sessionId)];
    const calling = client.request('tools/call', call.params);
    await target.arrival('tools/call');
    const drained = gateway.downstream.drain(10_000);
    expect(await lineWith(idleLines, 'retry:')).toBe('retry: 3000');
    expect(await lineWith(idleLines, 'event:')).toBeUndefined();
    await expect(idle.listen()).rejects.toThrow('GET /mcp: 503');
    answered.resolve({ result: {} });
    expect((await calling).result).toEqual({});
    expect(await lineWith(busyLines, 'retry:')).toBe('retry: 3000');
    expect(await lineWith(busyLines, 'event:')).toBeUndefined();
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

const all = { roots: {}, sampling: {}, elicitation: { form: {} } };

async function json(response: Promise<Response>) {
  return JSON.parse(await (await response).text());
}

/** A rig whose target answers a call with what the client has answered to this request of the target. */
async function startEchoing(method: string): Promise<TargetRig> {
  const rig: TargetRig = await startTargetRig(async (message, say) => {
    if (message.method !== 'tools/call') return { result: {} };
    say(method, {}, 'of the target');
    const { params } = await rig.target.arrival('answer');
    return { result: { content: [], _meta: { answer: params['result'] } } };
  });
  rig.gateway.config.allow('n.p', 'me', 'tool', 'a:x');
  return rig;
}

it.each([
  ['roots/list', { roots: [{ uri: 'file:///here' }] }],
  ['sampling/createMessage', { role: 'assistant', content: { type: 'text', text: 'I' }, model: 'm' }],
  ['elicitation/create', { action: 'accept', content: { name: 'I' } }],
])('a call in flight goes on in a drain: the SDK client of a session answers %s', async (method, answer) => {
  await using rig = await startEchoing(method);
  const { gateway, target } = rig;
  const client = new Client({ name: 'test', version: '1' }, { capabilities: all });
  const asked = Promise.withResolvers<void>();
  const mayAnswer = Promise.withResolvers<void>();
  client.fallbackRequestHandler = async () => {
    asked.resolve();
    await mayAnswer.promise;
    return answer;
  };
  const options = { requestInit: { headers: { authorization: `Bearer ${gateway.token('me')}` } } };
  const transport = new StreamableHTTPClientTransport(new URL(`${gateway.url}/mcp`), options);
  // The types of the package do not support exactOptionalPropertyTypes.
  await client.connect(transport as Parameters<Client['connect']>[0]);
  const calling = client.callTool({ name: 'a:x' });
  await asked.promise;
  const drained = gateway.downstream.drain(10_000);
  await expect(client.listTools()).rejects.toThrow('shutting down');
  await client.ping();
  mayAnswer.resolve();
  expect((await calling)._meta).toEqual({ answer });
  await drained;
  expect(target.received.filter(({ method: one }) => one === 'tools/list')).toEqual([]);
  await client.close();
});

it('a call in flight goes on in a drain: the client of HTTP+SSE answers, too', async () => {
  await using rig = await startEchoing('roots/list');
  const { gateway } = rig;
  const headers = { authorization: `Bearer ${gateway.token('me')}`, 'content-type': 'application/json' };
  const lines = linesOf(await fetch(`${gateway.url}/sse`, { headers }));
  const endpoint = (await lineWith(lines, 'data:'))?.slice('data: '.length) ?? '';
  const send = (message: object): Promise<Response> =>
    fetch(new URL(endpoint, `${gateway.url}/sse`), { method: 'POST', headers, body: JSON.stringify(message) });
  await send(initialize('2024-11-05', all));
  await lineWith(lines, 'data:');
  await send({ ...call, params: { name: 'a:x' } });
  const { id } = JSON.parse((await lineWith(lines, 'data:'))?.slice('data: '.length) ?? '');
  const drained = gateway.downstream.drain(10_000);
  expect((await send({ ...call, id: 8 })).status).toBe(503);
  expect((await fetch(`${gateway.url}/sse`, { headers })).status).toBe(503);
  expect((await send({ jsonrpc: '2.0', id, result: { roots: [] } })).status).toBe(202);
  expect(await lineWith(lines, 'data:')).toContain('"answer":{"roots":[]}');
  expect(await lineWith(lines, 'event:')).toBeUndefined();
  await drained;
});

it('a call in flight goes on in a drain: a client of MCP 2026-07-28 repeats it with the input that a target of a session has asked for', async () => {
  await using rig = await startEchoing('roots/list');
  const { gateway } = rig;
  const token = gateway.token('me');
  const meta = { [key('clientCapabilities')]: all };
  const params = { name: 'a:x' };
  const asked = await json(ask(gateway, { token, method: 'tools/call', params, meta }));
  const { requestState, inputRequests } = asked.result;
  const drained = gateway.downstream.drain(10_000);
  expect((await ask(gateway, { token, method: 'tools/call', params, meta })).status).toBe(503);
  expect((await ask(gateway, { token, method: 'subscriptions/listen', meta })).status).toBe(503);
  const inputResponses = Object.fromEntries(Object.keys(inputRequests).map((name) => [name, { roots: [] }]));
  const more = { ...params, requestState, inputResponses };
  const reply = await json(ask(gateway, { token, method: 'tools/call', params: more, meta }));
  expect(reply.result).toMatchObject({ resultType: 'complete', _meta: { answer: { roots: [] } } });
  await drained;
});

it('a call in flight goes on in a drain: a client repeats it with what a target of MCP 2026-07-28 has asked for by its result', async () => {
  const requests = { which: { method: 'roots/list' } };
  const first = { resultType: 'input_required', requestState: 'of the target', inputRequests: requests };
  const script: Script = ({ params }) => ({
    result: params['requestState'] === 'of the target' ? { content: [], done: true } : first,
  });
  await using rig = await startTargetRig(script, { stateless: true });
  const { gateway } = rig;
  gateway.config.allow('n.p', 'me', 'tool', 'a:x');
  const common = { token: gateway.token('me'), method: 'tools/call', meta: { [key('clientCapabilities')]: all } };
  const asked = await json(ask(gateway, { ...common, params: { name: 'a:x' } }));
  await gateway.downstream.drain(10_000);
  const inputResponses = { which: { roots: [] } };
  const params = { name: 'a:x', requestState: asked.result.requestState, inputResponses };
  const reply = await json(ask(gateway, { ...common, params }));
  expect(reply.result).toMatchObject({ done: true });
});

it.each(['before', 'after'])(
  'a client that has lost the stream of its response resumes it, %s the response, and that of its session',
  async (when) => {
    const { rig, answered } = await startRig();
    await using _ = rig;
    const { gateway, target } = rig;
    const client = await rig.open();
    const left = new AbortController();
    const calling = await post(gateway, gateway.token('me'), client.sessionId, call, {}, left.signal);
    const primer = (await lineWith(linesOf(calling), 'id:'))?.slice('id: '.length);
    await target.arrival('tools/call');
    left.abort();
    const drained = gateway.downstream.drain(10_000);
    await client.listen();
    if (when === 'before') {
      const resumed = await client.listen(undefined, primer);
      answered.resolve({ result: { content: [] } });
      expect(await resumed.next()).toMatchObject({ id: 7, result: { content: [] } });
    } else {
      answered.resolve({ result: { content: [] } });
      // A request after it, so that the response has been sent.
      await expect.poll(() => gateway.downstream.targetState('a').requests.result).toBe(1);
      expect(await Promise.race([drained.then(() => 'drained'), client.request('ping').then(() => 'not yet')])).toBe(
        'not yet',
      );
      const resumed = await client.listen(undefined, primer);
      expect(await resumed.next()).toMatchObject({ id: 7, result: { content: [] } });
    }
    await drained;
  },
);

it('a call in flight goes on in a drain: a client that does not need it any more cancels it, and the drain is over', async () => {
  await using rig = await startTargetRig(({ method }) => (method === 'tools/call' ? undefined : { result: {} }));
  const { gateway, target } = rig;
  gateway.config.allowAll('ns.all', 'me');
  const client = await rig.open();
  void client.request('tools/call', call.params, { id: 7 }).catch(() => {});
  await target.arrival('tools/call');
  const drained = gateway.downstream.drain(60_000);
  expect((await client.notify('notifications/cancelled', { requestId: 7 })).status).toBe(202);
  await drained;
  await target.arrival('notifications/cancelled');
});

it('a call in flight goes on in a drain: a client asks for the result of its task, and gives it input', async () => {
  const capabilities = { tools: {}, ...withTasks };
  await using rig = await startTargetRig(createTaskServer().script, { stateless: true, capabilities });
  const { gateway } = rig;
  gateway.config.allow('n.p', 'me', 'tool', 'a:confirm_delete');
  const meta = { [key('clientCapabilities')]: { ...withTasks, elicitation: {} } };
  const request = (method: string, params: object) =>
    json(ask(gateway, { token: gateway.token('me'), meta, method, params: { ...params } }));
  const created = await request('tools/call', { name: 'a:confirm_delete', arguments: { seconds: 0 } });
  const { taskId } = created.result;
  const drained = gateway.downstream.drain(60_000);
  expect((await request('tasks/get', { taskId })).result).toMatchObject({ status: 'input_required' });
  const inputResponses = { 'input-1': { action: 'accept', content: { name: 'I' } } };
  expect((await request('tasks/update', { taskId, inputResponses })).error).toBeUndefined();
  expect((await request('tasks/get', { taskId })).result).toMatchObject({ status: 'completed' });
  await drained;
  expect((await request('tasks/cancel', { taskId })).error).toBeUndefined();
});
