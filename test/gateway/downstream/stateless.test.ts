import { describe, expect, it } from 'vitest';
import { createManualClock, type ManualClock } from '../../support/edges/manual-clock.ts';
import type { GatewayRig } from '../../support/gateway/gateway-rig.ts';
import type { Script } from '../../support/gateway/raw-target.ts';
import { startTargetRig, type TargetRig } from '../../support/gateway/target-rig.ts';
import { readEvents } from '../../support/nodes/raw-client.ts';
import { type Ask, ask, key, version } from '../../support/nodes/stateless-client.ts';

type Json = Readonly<Record<string, unknown>>;

async function answerTo(gateway: GatewayRig, request: Ask): Promise<Json> {
  return JSON.parse(await (await ask(gateway, request)).text());
}

const echo: Script = ({ method, params }) =>
  method === 'tools/list'
    ? { result: { tools: [{ name: 'x' }, { name: 'y' }] } }
    : { result: { content: [], asked: params } };

/** Answers no call. */
const silent: Script = ({ method }) => (method === 'tools/list' ? { result: { tools: [] } } : undefined);

async function start(script: Script = echo): Promise<TargetRig> {
  const rig = await startTargetRig(script, { list: 'filtered' });
  rig.gateway.config.allow('n.p', 'me', 'tool', 'a:x');
  return rig;
}

describe('a request of MCP 2026-07-28', () => {
  it('needs no handshake, is authorized by its own token, and has a complete result that nobody keeps', async () => {
    await using rig = await start();
    const token = rig.gateway.token('me');
    expect(await answerTo(rig.gateway, { token, method: 'tools/list' })).toEqual({
      jsonrpc: '2.0',
      id: 'mine',
      result: { tools: [{ name: 'a:x' }], resultType: 'complete', ttlMs: 0, cacheScope: 'private' },
    });
    const call = { token, method: 'tools/call', params: { name: 'a:x', arguments: { n: 1 } } };
    expect(await answerTo(rig.gateway, call)).toMatchObject({
      result: { resultType: 'complete', asked: { name: 'x', arguments: { n: 1 } } },
    });
    rig.gateway.config.removeConfig('n.p');
    expect(await answerTo(rig.gateway, call)).toMatchObject({ id: 'mine', error: { code: -32602 } });
    const handshakes = rig.target.received.filter(({ method }) => method === 'initialize');
    expect(handshakes, 'one session at the target for both').toHaveLength(1);
  });

  it('shares nothing with a caller of another identity, or with other capabilities', async () => {
    await using rig = await start();
    rig.gateway.config.allow('n.q', 'you', 'tool', 'a:x');
    const params = { name: 'a:x' };
    for (const token of [rig.gateway.token('me'), rig.gateway.token('you')]) {
      await answerTo(rig.gateway, { token, method: 'tools/call', params });
      const meta = { [key('clientCapabilities')]: { elicitation: {} } };
      await answerTo(rig.gateway, { token, method: 'tools/call', params, meta });
    }
    const handshakes = rig.target.received.filter(({ method }) => method === 'initialize');
    expect(handshakes.map(({ params: { capabilities } }) => capabilities)).toEqual([
      {},
      { elicitation: {} },
      {},
      { elicitation: {} },
    ]);
  });

  it('server/discover tells the revisions, and the instructions of the targets that the caller may use', async () => {
    await using rig = await start();
    const answer = await answerTo(rig.gateway, { token: rig.gateway.token('me'), method: 'server/discover' });
    expect(answer).toMatchObject({
      result: {
        supportedVersions: [version, '2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05'],
        capabilities: { tools: { listChanged: true } },
        resultType: 'complete',
        _meta: { [key('serverInfo')]: { name: 'gatehouse' } },
      },
    });
  });
});

describe('a response of MCP 2026-07-28', () => {
  it('has notifications on an event stream before its response, and log messages only when it asks for them', async () => {
    await using rig = await start(({ method, params }, say) => {
      if (method !== 'tools/call') return { result: {} };
      say('notifications/message', { level: 'info', data: 'log' });
      say('notifications/progress', { progressToken: Object(params['_meta']).progressToken, progress: 1 });
      return { result: { content: [] } };
    });
    const token = rig.gateway.token('me');
    const told = async (meta: Json): Promise<unknown[]> => {
      const params = { name: 'a:x' };
      const events = readEvents(await ask(rig.gateway, { token, method: 'tools/call', params, meta }));
      const messages: unknown[] = [];
      for (let next = await events.next(); next !== undefined; next = await events.next())
        messages.push(next['method']);
      return messages;
    };
    const progress = 'notifications/progress';
    expect(await told({ progressToken: 'p' })).toEqual([progress, undefined]);
    // What is no level asks for no log messages, not for all of them.
    for (const level of ['warning', 'loud']) {
      expect(await told({ progressToken: 'p', [key('logLevel')]: level })).toEqual([progress, undefined]);
    }
    expect(await told({ progressToken: 'p', [key('logLevel')]: 'info' })).toEqual([
      'notifications/message',
      progress,
      undefined,
    ]);
  });

  it('has the log messages of an earlier target whose level is the least that was asked for', async () => {
    await using rig = await start();
    const token = rig.gateway.token('me');
    for (const level of ['error', 'loud', 'debug', 'warning']) {
      const meta = { [key('logLevel')]: level };
      await answerTo(rig.gateway, { token, method: 'tools/call', params: { name: 'a:x' }, meta });
    }
    await rig.target.arrival('logging/setLevel', 2);
    const set = rig.target.received.filter(({ method }) => method === 'logging/setLevel');
    expect(set.map(({ params }) => params)).toEqual([{ level: 'error' }, { level: 'debug' }]);
  });

  it('says of a resource that an earlier target does not have what this revision says', async () => {
    await using rig = await start(() => ({
      error: { code: -32002, message: 'Resource not found', data: { more: 1 } },
    }));
    rig.gateway.config.allow('n.r', 'me', 'resource', 'a:file:///a');
    const read = { method: 'resources/read', params: { uri: 'mcp://a/file%3A%2F%2F%2Fa' } };
    expect(await answerTo(rig.gateway, { token: rig.gateway.token('me'), ...read })).toMatchObject({
      error: { code: -32602, message: 'Resource not found', data: { more: 1 } },
    });
  });

  it('is cancelled at the target when the client closes its response', async () => {
    const abort = new AbortController();
    await using rig = await start(silent);
    const asking = ask(rig.gateway, {
      token: rig.gateway.token('me'),
      method: 'tools/call',
      params: { name: 'a:x' },
      signal: abort.signal,
    });
    const { id } = await rig.target.arrival('tools/call');
    abort.abort();
    await expect(asking).rejects.toThrow();
    expect((await rig.target.arrival('notifications/cancelled')).params).toMatchObject({ requestId: id });
  });
});

it('a call of MCP 2026-07-28 is answered when the gateway ends it', async () => {
  await using rig = await start(silent);
  const call = { token: rig.gateway.token('me'), method: 'tools/call', params: { name: 'a:x' } };
  const answer = answerTo(rig.gateway, call);
  await rig.target.arrival('tools/call');
  await rig.gateway.downstream.stop();
  expect(await answer).toMatchObject({ id: 'mine', error: { code: -32000 } });
});

it('a client that leaves before subscriptions/listen is acknowledged leaves nothing behind', async () => {
  await using rig = await start(() => undefined);
  rig.gateway.config.allow('n.r', 'me', 'resource', 'a:file:///a');
  const abort = new AbortController();
  const notifications = { resourceSubscriptions: Array.from({ length: 9 }, () => 'mcp://a/file%3A%2F%2F%2Fa') };
  const token = rig.gateway.token('me');
  const params = { notifications };
  await ask(rig.gateway, { token, method: 'subscriptions/listen', params, signal: abort.signal });
  await rig.target.arrival('resources/subscribe');
  abort.abort();
  await rig.target.disconnected;
  expect(rig.target.asked.map(({ method }) => method)).toEqual(['resources/subscribe']);
});

describe('what contradicts itself or is unknown', () => {
  const call = { method: 'tools/call', params: { name: 'a:x' } };

  it.each([
    ['another Mcp-Method', { ...call, headers: { 'mcp-method': 'tools/list' } }, 400, -32020],
    ['another Mcp-Name', { ...call, headers: { 'mcp-name': 'a:y' } }, 400, -32020],
    ['an Mcp-Name of other bytes', { ...call, headers: { 'mcp-name': '=?base64?YTp5?=' } }, 400, -32020],
    ['another version in the header', { ...call, headers: { 'mcp-protocol-version': '2025-11-25' } }, 400, -32020],
    ['no version in the body', { ...call, meta: { [key('protocolVersion')]: undefined } }, 400, -32602],
    ['no capabilities', { ...call, meta: { [key('clientCapabilities')]: undefined } }, 400, -32602],
    [
      'a version that nobody has',
      { ...call, meta: { [key('protocolVersion')]: '1900-01-01' }, headers: { 'mcp-protocol-version': '1900-01-01' } },
      400,
      -32022,
    ],
    ['a removed method', { method: 'ping' }, 404, -32601],
    ['a method that nobody has', { method: 'x/y' }, 404, -32601],
    ['the state of no call', { ...call, params: { ...call.params, requestState: 'x' } }, 200, -32602],
  ])('%s is refused, and reaches no target', async (_, request, status, code) => {
    await using rig = await start();
    const response = await ask(rig.gateway, { token: rig.gateway.token('me'), ...request });
    expect(response.status).toBe(status);
    expect(JSON.parse(await response.text())).toMatchObject({ id: 'mine', error: { code } });
    expect(rig.target.asked.filter(({ method }) => method !== 'tools/list')).toEqual([]);
  });

  it('a name in base 64 that says the same is taken', async () => {
    await using rig = await start();
    const headers = { 'mcp-name': `=?base64?${Buffer.from('a:x').toString('base64')}?=` };
    const answer = await answerTo(rig.gateway, { token: rig.gateway.token('me'), ...call, headers });
    expect(answer).toMatchObject({ result: {} });
  });

  it.each(['GET', 'DELETE'])('%s is refused with 405', async (method) => {
    await using rig = await start();
    const headers = { authorization: `Bearer ${rig.gateway.token('me')}`, 'mcp-protocol-version': version };
    expect((await fetch(`${rig.gateway.url}/mcp`, { method, headers })).status).toBe(405);
  });
});

const elicitation = { mode: 'form', message: 'who?', requestedSchema: { type: 'object' } };
const offers = { [key('clientCapabilities')]: { elicitation: { form: {} }, sampling: {} } };

/** A target of an earlier revision that asks the client twice during a call. */
const asking: Script = async ({ method }, say) => {
  if (method !== 'tools/call') return { result: {} };
  say('elicitation/create', elicitation, 'first');
  return undefined;
};

async function startAsking(): Promise<{ readonly rig: TargetRig; readonly finish: (result: Json) => void }> {
  const { promise, resolve } = Promise.withResolvers<Json>();
  const rig = await start(async (request, say) => {
    await asking(request, say);
    return request.method === 'tools/call' ? { result: await promise } : { result: {} };
  });
  return { rig, finish: resolve };
}

describe('a target of an earlier revision that asks the client during a call', () => {
  const call = { method: 'tools/call', params: { name: 'a:x' }, meta: offers };

  async function firstInput(rig: TargetRig, token: string) {
    const { result } = await answerTo(rig.gateway, { token, ...call });
    const { inputRequests, requestState, resultType } = Object(result);
    expect(resultType).toBe('input_required');
    const [id = ''] = Object.keys(inputRequests);
    expect(inputRequests).toEqual({ [id]: { method: 'elicitation/create', params: elicitation } });
    return { id, requestState };
  }

  it('gets the input that the client sends with its repeated request, and that one gets the result', async () => {
    const { rig, finish } = await startAsking();
    await using _ = rig;
    const token = rig.gateway.token('me');
    const { id, requestState } = await firstInput(rig, token);
    const inputResponses = { [id]: { action: 'accept', content: { name: 'x' } } };
    const repeated = answerTo(rig.gateway, {
      token,
      ...call,
      params: { ...call.params, requestState, inputResponses },
    });
    const answer = await rig.target.arrival('answer');
    expect(answer).toMatchObject({ id: 'first', params: { result: inputResponses[id] } });
    finish({ content: [], done: true });
    expect(await repeated).toMatchObject({ id: 'mine', result: { done: true, resultType: 'complete' } });
    expect(rig.target.received.filter(({ method }) => method === 'tools/call')).toHaveLength(1);
  });

  it('asks again when the client repeats the request without the input, with a new state', async () => {
    const { rig } = await startAsking();
    await using _ = rig;
    const token = rig.gateway.token('me');
    const { requestState } = await firstInput(rig, token);
    const again = await answerTo(rig.gateway, { token, ...call, params: { ...call.params, requestState } });
    expect(again).toMatchObject({ result: { resultType: 'input_required' } });
    expect(Object(again['result']).requestState).not.toBe(requestState);
  });

  it.each([
    ['another caller', 'you', { name: 'a:x' }],
    ['another request', 'me', { name: 'a:y' }],
  ])('takes no input of %s', async (_, who, params) => {
    const { rig } = await startAsking();
    await using __ = rig;
    rig.gateway.config.allow('n.q', 'you', 'tool', 'a:x');
    const { id, requestState } = await firstInput(rig, rig.gateway.token('me'));
    const inputResponses = { [id]: { action: 'accept' } };
    const token = rig.gateway.token(who);
    const answer = await answerTo(rig.gateway, { token, ...call, params: { ...params, requestState, inputResponses } });
    expect(answer).toMatchObject({ error: { code: -32602 } });
    expect(rig.target.received.filter(({ method }) => method === 'answer')).toEqual([]);
  });

  it('takes no input of a token that may not use the tool, and tells it nothing', async () => {
    const { rig, finish } = await startAsking();
    await using _ = rig;
    const { id, requestState } = await firstInput(rig, rig.gateway.token('me'));
    const inputResponses = { [id]: { action: 'accept' } };
    const params = { ...call.params, requestState, inputResponses };
    const less = rig.gateway.token('me', undefined, 'less');
    const repeated = answerTo(rig.gateway, { token: less, ...call, params });
    expect((await rig.target.arrival('answer')).params).toMatchObject({ error: { code: -32000 } });
    finish({ content: [], secret: true });
    expect(await repeated).toMatchObject({ error: { code: -32000, message: 'The response is not for this token' } });
  });
});

describe('an input_required call that is repeated with the same token after the rule is gone', () => {
  const call = { method: 'tools/call', params: { name: 'a:x' }, meta: offers };

  it('shows neither what the target asks nor the result', async () => {
    const { rig, finish } = await startAsking();
    await using _ = rig;
    const token = rig.gateway.token('me');
    const stateOf = ({ result }: Json): unknown => Object(result).requestState;
    const requestState = stateOf(await answerTo(rig.gateway, { token, ...call }));
    rig.gateway.config.removeConfig('n.p');
    const again = await answerTo(rig.gateway, { token, ...call, params: { ...call.params, requestState } });
    expect(again).toMatchObject({ error: { code: -32000, message: 'The response is not for this token' } });
    expect(again['result']).toBeUndefined();
    finish({ content: [], secret: true });
  });

  it('does not show a result that came meanwhile', async () => {
    const { rig, finish } = await startAsking();
    await using _ = rig;
    const token = rig.gateway.token('me');
    const { result } = await answerTo(rig.gateway, { token, ...call });
    const { requestState, inputRequests } = Object(result);
    const [id = ''] = Object.keys(inputRequests);
    rig.gateway.config.removeConfig('n.p');
    const inputResponses = { [id]: { action: 'accept' } };
    const params = { ...call.params, requestState, inputResponses };
    const repeated = answerTo(rig.gateway, { token, ...call, params });
    expect((await rig.target.arrival('answer')).params).toMatchObject({ error: { code: -32000 } });
    finish({ content: [], secret: true });
    expect(await repeated).toMatchObject({ error: { code: -32000, message: 'The response is not for this token' } });
  });
});

describe('subscriptions/listen', () => {
  it.each<[string, (rig: TargetRig, clock: ManualClock) => unknown]>([
    ['the gateway stops', ({ gateway }) => gateway.downstream.stop()],
    ['its token expires', (_, clock) => clock.advance(60_000)],
  ])('ends with an empty result when %s', async (_, finish) => {
    const clock = createManualClock();
    await using rig = await startTargetRig(echo, { list: 'filtered', clock });
    const token = rig.gateway.token('me', clock.now() + 60_000);
    const params = { notifications: { toolsListChanged: true } };
    const events = readEvents(await ask(rig.gateway, { token, method: 'subscriptions/listen', params }));
    expect(await events.next()).toMatchObject({ method: 'notifications/subscriptions/acknowledged' });
    await finish(rig, clock);
    const result = { resultType: 'complete', _meta: { [key('subscriptionId')]: 'mine' } };
    expect([await events.next(), await events.next()]).toEqual([{ jsonrpc: '2.0', id: 'mine', result }, undefined]);
  });

  it('begins with what is delivered, and tells of changes with the id of the request', async () => {
    await using rig = await start();
    rig.gateway.config.allow('n.r', 'me', 'resource', 'a:file:///a');
    const notifications = {
      toolsListChanged: true,
      unknown: true,
      resourceSubscriptions: ['mcp://a/file%3A%2F%2F%2Fa', 'mcp://a/file%3A%2F%2F%2Fdenied'],
    };
    const abort = new AbortController();
    const response = await ask(rig.gateway, {
      token: rig.gateway.token('me'),
      method: 'subscriptions/listen',
      params: { notifications },
      signal: abort.signal,
    });
    const events = readEvents(response);
    const _meta = { [key('subscriptionId')]: 'mine' };
    expect(await events.next()).toEqual({
      jsonrpc: '2.0',
      method: 'notifications/subscriptions/acknowledged',
      params: {
        notifications: { toolsListChanged: true, resourceSubscriptions: ['mcp://a/file%3A%2F%2F%2Fa'] },
        _meta,
      },
    });
    rig.gateway.config.putTarget({ name: 'a2', host: '127.0.0.1', port: 1, path: '/mcp' });
    rig.gateway.config.allow('n.p', 'me', 'tool', 'a2:x');
    expect(await events.next()).toEqual({
      jsonrpc: '2.0',
      method: 'notifications/tools/list_changed',
      params: { _meta },
    });
    abort.abort();
  });
});
