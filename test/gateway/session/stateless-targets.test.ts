import { describe, expect, it } from 'vitest';
import type { TargetFetch } from '../../../src/gateway/model.ts';
import { createManualClock } from '../../support/edges/manual-clock.ts';
import type { Script } from '../../support/gateway/raw-target.ts';
import { startTargetRig, type TargetRig } from '../../support/gateway/target-rig.ts';
import { readEvents } from '../../support/nodes/raw-client.ts';
import { type Ask, ask, key } from '../../support/nodes/stateless-client.ts';

type Json = Readonly<Record<string, unknown>>;

/** A target of MCP 2026-07-28 alone, whose tool `x` the caller may use. */
async function start(script: Script, capabilities?: Json): Promise<TargetRig> {
  const rig = await startTargetRig(script, { stateless: true, ...(capabilities && { capabilities }) });
  rig.gateway.config.allow('n.p', 'me', 'tool', 'a:x');
  return rig;
}

async function answerTo({ gateway }: TargetRig, request: Omit<Ask, 'token'>): Promise<Json> {
  return JSON.parse(await (await ask(gateway, { token: gateway.token('me'), ...request })).text());
}

const question = { method: 'elicitation/create', params: { message: 'Who?', requestedSchema: { type: 'object' } } };

/** Asks for input until it gets it, and answers with what it got. */
const asking: Script = ({ params }) => {
  const { inputResponses, requestState } = params;
  if (inputResponses !== undefined)
    return { result: { resultType: 'complete', content: [], inputResponses, requestState } };
  return { result: { resultType: 'input_required', inputRequests: { who: question }, requestState: 'its own state' } };
};

const call = { method: 'tools/call', params: { name: 'a:x', arguments: { n: 1 } } };
const withElicitation = { [key('clientCapabilities')]: { elicitation: {} } };

describe('a target of MCP 2026-07-28', () => {
  it('gets requests whose headers and envelope say what they are, and never what the client has said there', async () => {
    await using rig = await start(() => ({ result: { content: [] } }));
    const client = await rig.open('me', { sampling: {}, made: { up: 1 } });
    const _meta = { [key('clientCapabilities')]: { elicitation: {} }, mine: 1 };
    expect((await client.request('tools/call', { ...call.params, _meta })).result).toEqual({ content: [] });
    const { headers, params } = await rig.target.arrival('tools/call');
    expect(headers).toMatchObject({
      'mcp-method': 'tools/call',
      'mcp-name': 'x',
      'mcp-protocol-version': '2026-07-28',
    });
    expect(headers['mcp-session-id']).toBeUndefined();
    expect(params).toEqual({
      name: 'x',
      arguments: { n: 1 },
      _meta: {
        mine: 1,
        [key('protocolVersion')]: '2026-07-28',
        [key('clientInfo')]: { name: 'gatehouse', version: expect.any(String) },
        [key('clientCapabilities')]: { sampling: {} },
      },
    });
  });

  it('is asked for a handshake once, whoever calls it later', async () => {
    await using rig = await start(() => ({ result: { content: [] } }));
    rig.gateway.config.allow('n.p', 'you', 'tool', 'a:x');
    for (const identity of ['me', 'you', 'me']) await (await rig.open(identity)).request('tools/call', call.params);
    expect(rig.target.received.filter(({ method }) => method === 'initialize')).toHaveLength(1);
  });

  it('answers a method that it does not have with status 404, which is no lost session', async () => {
    await using rig = await start(() => ({ error: { code: -32601, message: 'Method not found', data: 1 } }));
    const client = await rig.open();
    expect((await client.request('tools/call', call.params)).error).toEqual({
      code: -32601,
      message: 'Method not found',
      data: 1,
    });
    expect(rig.target.asked).toHaveLength(1);
  });

  it('gets the log level of the client in each request', async () => {
    await using rig = await start(() => ({ result: { content: [] } }));
    const client = await rig.open();
    await client.request('logging/setLevel', { level: 'debug' });
    await client.request('tools/call', call.params);
    await client.request('logging/setLevel', { level: 'error' });
    await client.request('tools/call', call.params);
    const level = async (nth: number): Promise<unknown> => {
      return Object((await rig.target.arrival('tools/call', nth)).params['_meta'])[key('logLevel')];
    };
    expect(await level(2)).toBe('error');
    expect(rig.target.asked.map(({ method }) => method)).toEqual(['tools/call', 'tools/call']);
  });
});

it('a target of both eras is spoken with in that of the client', async () => {
  await using rig = await startTargetRig(asking, { bothEras: true });
  rig.gateway.config.allow('n.p', 'me', 'tool', 'a:x');
  expect(await answerTo(rig, { ...call, meta: withElicitation })).toMatchObject({
    result: { resultType: 'input_required', inputRequests: { who: question }, requestState: 'its own state' },
  });
  expect(rig.target.received.map(({ method }) => method)).not.toContain('initialize');
  await (await rig.open()).request('tools/call', call.params);
  expect(rig.target.received.map(({ method }) => method)).toContain('initialize');
  const calls = rig.target.asked.map(({ headers }) => headers['mcp-method']);
  expect(calls).toEqual(['tools/call', undefined]);
});

it('a target of earlier revisions that is silent when it is asked for MCP 2026-07-28 is used after three seconds', async () => {
  const clock = createManualClock();
  const silent: TargetFetch = (url, init) =>
    String(init.body).includes('server/discover') ? new Promise(() => {}) : fetch(url, init);
  await using rig = await startTargetRig(() => ({ result: { content: [] } }), { clock, fetchFor: () => silent });
  rig.gateway.config.allow('n.p', 'me', 'tool', 'a:x');
  const response = ask(rig.gateway, { token: rig.gateway.token('me'), ...call });
  while (!rig.target.received.some(({ method }) => method === 'initialize')) {
    clock.advance(100);
    await new Promise(setImmediate);
  }
  expect(await readEvents(await response).next()).toMatchObject({ result: { content: [] } });
});

describe('a result that asks for input', () => {
  it('reaches a client of MCP 2026-07-28 as it is, and so does its answer the target', async () => {
    await using rig = await start(asking);
    const asked = await answerTo(rig, { ...call, meta: withElicitation });
    expect(asked).toEqual({
      jsonrpc: '2.0',
      id: 'mine',
      result: { resultType: 'input_required', inputRequests: { who: question }, requestState: 'its own state' },
    });
    const inputResponses = { who: { action: 'accept', content: { name: 'I' } } };
    const params = { ...call.params, inputResponses, requestState: 'its own state' };
    expect(await answerTo(rig, { method: 'tools/call', params, meta: withElicitation })).toMatchObject({
      result: { resultType: 'complete', inputResponses, requestState: 'its own state' },
    });
  });

  it('is a request for an earlier client, whose answer repeats the call', async () => {
    await using rig = await start(asking);
    const client = await rig.open('me', { elicitation: {} });
    const answer = await client.request('tools/call', call.params, {
      said: ({ id, method, params }) => {
        expect({ method, params }).toEqual(question);
        void client.answer(id, { result: { action: 'accept', content: { name: 'I' } } });
      },
    });
    expect(answer.result).toMatchObject({
      inputResponses: { who: { action: 'accept', content: { name: 'I' } } },
      requestState: 'its own state',
    });
    expect((await rig.target.arrival('tools/call', 2)).params).toMatchObject({ name: 'x', arguments: { n: 1 } });
  });

  it('reaches an earlier client as it was written, however large it is', async () => {
    const data = 'x'.repeat(100_000);
    await using rig = await start(({ params }) => {
      if (params['inputResponses'] !== undefined) return { result: { content: [] } };
      const who = { ...question, params: { ...question.params, data } };
      return { result: { resultType: 'input_required', inputRequests: { who } } };
    });
    const client = await rig.open('me', { elicitation: {} });
    let asked: Json = {};
    await client.request('tools/call', call.params, {
      said: ({ id, params }) => {
        asked = Object(params);
        void client.answer(id, { result: { action: 'decline' } });
      },
    });
    expect(asked).toEqual({ ...question.params, data });
  });

  it('is the error of the client for an earlier client that refuses', async () => {
    await using rig = await start(asking);
    const client = await rig.open('me', { elicitation: {} });
    const answer = await client.request('tools/call', call.params, {
      said: ({ id }) => void client.answer(id, { error: { code: -1, message: 'not now' } }),
    });
    expect(answer.error).toEqual({ code: -1, message: 'not now' });
  });

  it.each([
    ['what the client cannot do', { resultType: 'input_required', inputRequests: { q: { method: 'roots/list' } } }],
    ['what no client does', { resultType: 'input_required', inputRequests: { q: { method: 'tools/call' } } }],
    [
      'too much',
      {
        resultType: 'input_required',
        inputRequests: Object.fromEntries([...Array(17).keys()].map((n) => [n, question])),
      },
    ],
  ])('is an error when it asks for %s', async (what, result) => {
    await using rig = await start(() => ({ result }));
    const client = await rig.open('me', { elicitation: {} });
    const why = what === 'too much' ? ': it asks for more than 16 inputs at once' : '';
    expect((await client.request('tools/call', call.params)).error?.message).toBe(`Target a does not answer${why}`);
    expect(await answerTo(rig, { ...call, meta: withElicitation })).toMatchObject({ error: { code: -32000 } });
    expect(rig.target.asked).toHaveLength(2);
  });
});

describe('a request that is repeated with input', () => {
  it('ends when the target asks again and again', async () => {
    await using rig = await start(() => ({
      result: { resultType: 'input_required', inputRequests: { who: question } },
    }));
    const client = await rig.open('me', { elicitation: {} });
    const { error } = await client.request('tools/call', call.params, {
      said: ({ id }) => void client.answer(id, { result: { action: 'accept' } }),
    });
    expect(error?.message).toBe('Target a does not answer: it asks for input more than 16 times');
    expect(rig.target.asked).toHaveLength(17);
  });

  it('with a state of no call of a target with sessions is refused there, since the call would begin anew', async () => {
    await using rig = await startTargetRig(() => ({ result: { content: [] } }));
    rig.gateway.config.allow('n.p', 'me', 'tool', 'a:x');
    const params = { ...call.params, requestState: 'made up' };
    expect(await answerTo(rig, { method: 'tools/call', params })).toMatchObject({ error: { code: -32602 } });
    expect(rig.target.asked.map(({ method }) => method)).toEqual(['tools/list']);
  });
});

describe('what a target of MCP 2026-07-28 tells of', () => {
  const capabilities = { tools: { listChanged: true }, resources: { subscribe: true } };
  /** Acknowledges what it is asked for, and tells of changes of all that when its tool is called. */
  const createTelling = (): Script => {
    const listening: (() => void)[] = [];
    return ({ method, params, id }, say) => {
      for (const tell of listening) if (method === 'tools/call') tell();
      if (method !== 'subscriptions/listen') return { result: { content: [] } };
      const { notifications } = params;
      const { toolsListChanged, resourceSubscriptions = [] } = Object(notifications);
      const _meta = { [key('subscriptionId')]: id, own: 1 };
      say('notifications/subscriptions/acknowledged', { notifications, _meta });
      listening.push(() => {
        for (const uri of resourceSubscriptions) say('notifications/resources/updated', { uri, _meta });
        if (toolsListChanged === true) say('notifications/tools/list_changed', { _meta });
      });
      return undefined;
    };
  };

  it('reaches an earlier client that has subscribed', async () => {
    await using rig = await start(createTelling(), capabilities);
    rig.gateway.config.allow('n.r', 'me', 'resource', 'a:file:///x');
    const client = await rig.open();
    const stream = await client.listen();
    const uri = 'mcp://a/file%3A%2F%2F%2Fx';
    expect((await client.request('resources/subscribe', { uri })).error).toBeUndefined();
    await client.request('tools/call', call.params);
    const _meta = { own: 1 };
    expect(await stream.next()).toMatchObject({ method: 'notifications/resources/updated', params: { uri, _meta } });
    expect(await stream.next()).toEqual({
      jsonrpc: '2.0',
      method: 'notifications/tools/list_changed',
      params: { _meta },
    });
    expect((await rig.target.arrival('subscriptions/listen', 2)).params).toMatchObject({
      notifications: { toolsListChanged: true, resourceSubscriptions: ['file:///x'] },
    });
    expect(rig.target.asked.map(({ method }) => method)).toEqual(['tools/call']);
  });

  it('is refused for a resource that the target does not tell of', async () => {
    await using rig = await start(({ method, id }, say) => {
      if (method !== 'subscriptions/listen') return { result: {} };
      const _meta = { [key('subscriptionId')]: id };
      say('notifications/subscriptions/acknowledged', { notifications: {}, _meta });
      return undefined;
    }, capabilities);
    rig.gateway.config.allow('n.r', 'me', 'resource', 'a:file:///x');
    const client = await rig.open();
    expect((await client.request('resources/subscribe', { uri: 'mcp://a/file%3A%2F%2F%2Fx' })).error?.message).toMatch(
      'does not tell of changes',
    );
  });
});

it('a target that takes longer than three seconds to say that it speaks this revision only is used all the same', async () => {
  const clock = createManualClock();
  const { promise: slow, resolve: answer } = Promise.withResolvers<void>();
  await using rig = await startTargetRig(() => ({ result: { content: [] } }), {
    stateless: true,
    clock,
    fetchFor: () => async (url, init) => {
      if (String(init.body).includes('"server/discover"')) await slow;
      return fetch(url, init);
    },
  });
  rig.gateway.config.allow('n.p', 'me', 'tool', 'a:x');
  const waits = (delay: number): boolean => clock.waiting().includes(delay);
  const calling = ask(rig.gateway, { token: rig.gateway.token('me'), method: 'tools/call', params: { name: 'a:x' } });
  await expect.poll(() => waits(3_000)).toBe(true);
  clock.advance(3_000);
  await rig.target.arrival('initialize');
  answer();
  expect(await (await calling).text()).toContain('"content":[]');
});
