import { describe, expect, it } from 'vitest';
import { decodeClientCapabilities } from '../../../src/gateway/session/client-requests.ts';
import { startGateway } from '../../support/gateway/gateway-rig.ts';
import { type Script, startRawTarget } from '../../support/gateway/raw-target.ts';
import { startTargetRig } from '../../support/gateway/target-rig.ts';
import { openRawClient, type RawClient } from '../../support/nodes/raw-client.ts';

type Json = Readonly<Record<string, unknown>>;

const all = { roots: { listChanged: true }, sampling: { tools: {} }, elicitation: { form: {}, url: {} } };

const apps = 'io.modelcontextprotocol/ui';

/** Asks the client during each call, and returns its answer as the result. */
function askDuringCalls(
  method: string,
  params: Json,
): { readonly script: Script; readonly answered: (body: Json) => void } {
  const { promise, resolve } = Promise.withResolvers<Json>();
  return {
    answered: resolve,
    async script({ method: asked }, say) {
      if (asked !== 'tools/call') return { result: {} };
      say(method, params, 'of the target');
      return { result: { content: [], _meta: { answer: await promise } } };
    },
  };
}

/** Starts a call, and returns the first message on its stream with the promised reply. */
async function callUntilAsked(client: RawClient, name = 'a:x') {
  const asked = Promise.withResolvers<Json>();
  const reply = client.request('tools/call', { name }, { said: asked.resolve });
  return { request: await asked.promise, reply };
}

describe('a request of a target', () => {
  it.each([
    ['sampling/createMessage', { messages: [], maxTokens: 7, tools: [{ name: 'of the target', unknown: 1 }] }],
    ['elicitation/create', { mode: 'form', message: 'who?', requestedSchema: { default: 'x', enum: ['x', 'y'] } }],
    ['roots/list', { unknown: { deep: [1] } }],
  ])(
    '%s reaches the client as it was written, on the stream of the call, and the answer the target',
    async (method, params) => {
      const { script, answered } = askDuringCalls(method, params);
      await using rig = await startTargetRig(script);
      rig.gateway.config.allow('n.p', 'me', 'tool', 'a:x');
      const client = await rig.open('me', all);
      const { request, reply } = await callUntilAsked(client);
      expect(request).toEqual({ jsonrpc: '2.0', id: expect.any(Number), method, params });
      await client.answer(request['id'], { result: { action: 'accept', unknown: { kept: 1 } } });
      const answer = await rig.target.arrival('answer');
      expect(answer).toMatchObject({
        id: 'of the target',
        params: { result: { action: 'accept', unknown: { kept: 1 } } },
      });
      answered(answer.params);
      expect((await reply).result).toMatchObject({ content: [] });
    },
  );

  it('gets the error of the client with its data', async () => {
    const { script, answered } = askDuringCalls('roots/list', {});
    await using rig = await startTargetRig(script);
    rig.gateway.config.allow('n.p', 'me', 'tool', 'a:x');
    const client = await rig.open('me', all);
    const { request, reply } = await callUntilAsked(client);
    const error = { code: -1, message: 'no', data: { why: 'user' } };
    await client.answer(request['id'], { error });
    expect((await rig.target.arrival('answer')).params).toMatchObject({ error });
    answered({});
    await reply;
  });

  it.each([
    ['sampling/createMessage', { elicitation: {}, roots: {} }],
    ['elicitation/create', { sampling: {} }],
    ['roots/list', {}],
    ['tools/call', all],
    ['initialize', all],
  ])('%s is refused with -32601 when the client did not offer it', async (method, capabilities) => {
    const { script, answered } = askDuringCalls(method, {});
    await using rig = await startTargetRig(script);
    rig.gateway.config.allow('n.p', 'me', 'tool', 'a:x');
    const client = await rig.open('me', capabilities);
    const reply = client.request('tools/call', { name: 'a:x' });
    expect((await rig.target.arrival('answer')).params).toMatchObject({ error: { code: -32601 } });
    answered({});
    expect((await reply).before).toEqual([]);
  });
});

it('a request of a target to open a page is refused with -32602 for a client that opens none', async () => {
  const { script, answered } = askDuringCalls('elicitation/create', {
    mode: 'url',
    url: 'https://x',
    elicitationId: 'e',
  });
  await using rig = await startTargetRig(script);
  rig.gateway.config.allow('n.p', 'me', 'tool', 'a:x');
  const client = await rig.open('me', { elicitation: { form: {} } });
  const reply = client.request('tools/call', { name: 'a:x' });
  expect((await rig.target.arrival('answer')).params).toMatchObject({ error: { code: -32602 } });
  answered({});
  expect((await reply).before).toEqual([]);
});

describe('the answer to a request of a target', () => {
  it('comes from no token that may use nothing of the target, although it is of the same identity', async () => {
    const { script, answered } = askDuringCalls('roots/list', {});
    await using rig = await startTargetRig(script);
    rig.gateway.config.allow('n.p', 'me', 'tool', 'a:x');
    const client = await rig.open('me', all);
    const { request, reply } = await callUntilAsked(client);
    await client.answer(request['id'], { result: { roots: ['secret'] } }, rig.gateway.token('me', undefined, 'other'));
    const answer = await rig.target.arrival('answer');
    expect(answer.params).toEqual({ jsonrpc: '2.0', error: { code: -32000, message: 'The client does not answer' } });
    answered({});
    await reply;
  });

  it('is not asked for once the rules no longer allow the call', async () => {
    const { promise: revoked, resolve } = Promise.withResolvers<void>();
    await using rig = await startTargetRig(async ({ method }, say) => {
      if (method !== 'tools/call') return { result: {} };
      await revoked;
      say('elicitation/create', { message: 'password?' }, 'q');
      return undefined;
    });
    rig.gateway.config.allow('n.p', 'me', 'tool', 'a:x');
    const client = await rig.open('me', all);
    const said: Json[] = [];
    const reply = client.request('tools/call', { name: 'a:x' }, { id: 9, said: (message) => said.push(message) });
    await rig.target.arrival('tools/call');
    rig.gateway.config.removeConfig('n.p');
    resolve();
    expect((await rig.target.arrival('answer')).params).toMatchObject({ error: { code: -32000 } });
    await rig.gateway.downstream.drain(1);
    expect((await reply).error?.code).toBe(-32000);
    expect(said).toEqual([]);
  });

  it('is taken once, and by its id: another id, or a second answer, goes nowhere', async () => {
    const { script, answered } = askDuringCalls('roots/list', {});
    await using rig = await startTargetRig(script);
    rig.gateway.config.allow('n.p', 'me', 'tool', 'a:x');
    const client = await rig.open('me', all);
    const { request, reply } = await callUntilAsked(client);
    await client.answer(999, { result: { roots: ['wrong id'] } });
    await client.answer('of the target', { result: { roots: ['id of the target'] } });
    await client.answer(request['id'], { result: { roots: ['right'] } });
    await client.answer(request['id'], { result: { roots: ['second'] } });
    expect((await rig.target.arrival('answer')).params).toMatchObject({ result: { roots: ['right'] } });
    answered({});
    await reply;
    expect(rig.target.received.filter(({ method }) => method === 'answer')).toHaveLength(1);
  });
});

describe('a request that several may see', () => {
  it('has an id, a progress token and an elicitation id that no request of another target has', async () => {
    const params = { mode: 'url', elicitationId: 'same', url: 'https://x', _meta: { progressToken: 'same' } };
    const [one, other] = [askDuringCalls('elicitation/create', params), askDuringCalls('elicitation/create', params)];
    await using first = await startRawTarget(one.script);
    await using second = await startRawTarget(other.script);
    await using gateway = await startGateway();
    gateway.config.putTarget(first.target('a'));
    gateway.config.putTarget(second.target('b'));
    gateway.config.allowAll('n.p', 'me');
    const client = await openRawClient(gateway, gateway.token('me'), '2025-11-25', all);
    const [ofFirst, ofSecond] = await Promise.all([callUntilAsked(client, 'a:x'), callUntilAsked(client, 'b:x')]);
    expect(ofFirst.request['id']).not.toBe(ofSecond.request['id']);
    expect(ofFirst.request['params']).toMatchObject({ elicitationId: 'a:same', url: 'https://x' });
    expect(ofSecond.request['params']).toMatchObject({ elicitationId: 'b:same' });

    const token = tokenOf(ofSecond.request);
    expect(token).not.toBe(tokenOf(ofFirst.request));
    await client.notify('notifications/progress', { progressToken: token, progress: 1, more: 'kept' });
    const progress = await second.arrival('notifications/progress');
    expect(progress.params).toEqual({ progressToken: 'same', progress: 1, more: 'kept' });
    await client.answer(ofSecond.request['id'], { result: { action: 'cancel' } });
    await second.arrival('answer');
    expect(first.asked.map(({ method }) => method)).toEqual(['tools/call']);
    one.answered({});
    other.answered({});
    await Promise.all([ofFirst.reply, ofSecond.reply]);
  });

  it('is cancelled at the client when the target cancels it', async () => {
    const { promise: cancel, resolve } = Promise.withResolvers<void>();
    await using rig = await startTargetRig(async ({ method }, say) => {
      if (method !== 'tools/call') return { result: {} };
      say('roots/list', {}, 'q');
      await cancel;
      say('notifications/cancelled', { requestId: 'q', reason: 'never mind' });
      return { result: { content: [] } };
    });
    rig.gateway.config.allow('n.p', 'me', 'tool', 'a:x');
    const client = await rig.open('me', all);
    const { request, reply } = await callUntilAsked(client);
    resolve();
    expect((await reply).before).toEqual([
      request,
      { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: request['id'], reason: 'never mind' } },
    ]);
  });
});

it('a request of a target that is cancelled after the rule is gone is cancelled without the words of the target', async () => {
  const { promise: cancel, resolve } = Promise.withResolvers<void>();
  await using rig = await startTargetRig(async ({ method }, say) => {
    if (method !== 'tools/call') return { result: {} };
    say('roots/list', {}, 'q');
    await cancel;
    say('notifications/cancelled', { requestId: 'q', reason: 'secret' });
    return { result: { content: [] } };
  });
  rig.gateway.config.allow('n.p', 'me', 'tool', 'a:x');
  const client = await rig.open('me', all);
  const { request, reply } = await callUntilAsked(client);
  rig.gateway.config.removeConfig('n.p');
  resolve();
  const params = { requestId: request['id'] };
  expect((await reply).before).toEqual([request, { jsonrpc: '2.0', method: 'notifications/cancelled', params }]);
});

function tokenOf(request: Json): unknown {
  const params: Json = Object(request['params']);
  const meta: Json = Object(params['_meta']);
  return meta['progressToken'];
}

describe('what a client tells targets', () => {
  it('of its roots is passed on to those at which it may use something', async () => {
    await using rig = await startTargetRig(() => ({ result: {} }));
    await using other = await startRawTarget(() => ({ result: {} }));
    rig.gateway.config.putTarget(other.target('b'));
    rig.gateway.config.allow('n.p', 'me', 'tool', 'a:x');
    rig.gateway.config.allow('n.q', 'me', 'tool', 'b:x');
    const client = await rig.open('me', all);
    rig.gateway.config.removeConfig('n.q');
    await client.notify('notifications/roots/list_changed');
    await rig.target.arrival('notifications/roots/list_changed');
    await client.request('tools/call', { name: 'a:x' });
    expect(other.asked).toEqual([]);
  });

  it('are its capabilities, without members that MCP does not know', async () => {
    await using rig = await startTargetRig(() => ({ result: {} }));
    rig.gateway.config.allow('n.p', 'me', 'tool', 'a:x');
    await rig.open('me', { ...all, experimental: { x: {} }, tasks: {}, roots: { listChanged: true, kept: false } });
    expect((await rig.target.arrival('initialize')).params['capabilities']).toEqual(all);
  });

  it.each([
    [null, {}],
    [{ sampling: true, elicitation: null, roots: [] }, {}],
    [{ constructor: {}, sampling: { tools: 1, context: {} } }, { sampling: { context: {} } }],
    [
      { extensions: { [apps]: { mimeTypes: ['text/html;profile=mcp-app', 7, 'x'.repeat(129)], x: 1 }, 'a/tasks': {} } },
      { extensions: { [apps]: { mimeTypes: ['text/html;profile=mcp-app'] } } },
    ],
    [{ extensions: { [apps]: {} } }, { extensions: { [apps]: {} } }],
    [{ extensions: { [apps]: true } }, {}],
  ])('of %j is %j', (declared, told) => {
    expect(decodeClientCapabilities(declared)).toEqual(told);
  });
});

it('a request of a target that may be about any of several calls is for nobody who may not use what they use', async () => {
  const asking = Promise.withResolvers<void>();
  await using rig = await startTargetRig(() => undefined, {
    async get(_, response) {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
      await asking.promise;
      const request = { jsonrpc: '2.0', id: 'q', method: 'roots/list', params: {} };
      response.write(`data: ${JSON.stringify(request)}\n\n`);
    },
  });
  rig.gateway.config.allow('n.p', 'me', 'tool', 'a:x');
  rig.gateway.config.allow('n.q', 'other', 'tool', 'a:y');
  const client = await rig.open('me', all);
  await client.listen();
  const other = rig.gateway.token('me', undefined, 'other');
  const replies = [
    client.request('tools/call', { name: 'a:x' }),
    client.request('tools/call', { name: 'a:y' }, { token: other }),
  ];
  await rig.target.arrival('tools/call', 2);
  asking.resolve();
  expect((await rig.target.arrival('answer')).params).toMatchObject({ error: { code: -32000 } });
  await rig.gateway.downstream.drain(1);
  expect((await Promise.all(replies)).map(({ error }) => error?.code)).toEqual([-32000, -32000]);
});
