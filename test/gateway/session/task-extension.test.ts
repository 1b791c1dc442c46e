import { describe, expect, it } from 'vitest';
import { createManualClock } from '../../support/edges/manual-clock.ts';
import { type RawTarget, type Script, startRawTarget } from '../../support/gateway/raw-target.ts';
import { startTargetRig, type TargetRig, type TargetRigOptions } from '../../support/gateway/target-rig.ts';
import { createTaskServer, withTasks } from '../../support/gateway/task-server.ts';
import { readEvents } from '../../support/nodes/raw-client.ts';
import { type Ask, ask, key } from '../../support/nodes/stateless-client.ts';

type Json = Readonly<Record<string, unknown>>;

const capabilities = { tools: {}, ...withTasks };
const declared = { [key('clientCapabilities')]: { ...withTasks, elicitation: {} } };
const related = key('related-task');
const unknownTask = (id: string): Json => ({
  code: -32602,
  message: `Unknown task: ${id} (tasks are known to the caller who has created them, until the gateway restarts)`,
});

async function start(script: Script = createTaskServer().script, options: TargetRigOptions = {}): Promise<TargetRig> {
  const rig = await startTargetRig(script, { stateless: true, capabilities, ...options });
  rig.gateway.config.allow('n.x', 'me', 'tool', 'a:slow_compute');
  rig.gateway.config.allow('n.y', 'me', 'tool', 'a:confirm_delete');
  return rig;
}

type Asked = Omit<Ask, 'token'> & { readonly token?: string };

/** Asks and returns the answer: of an event stream, which a slow one is, its last event. */
async function request({ gateway }: TargetRig, { token = gateway.token('me'), ...more }: Asked): Promise<Json> {
  const text = await (await ask(gateway, { token, meta: declared, ...more })).text();
  const event = text.split('\n').findLast((line) => line.startsWith('data: '));
  return JSON.parse(event?.slice('data: '.length) ?? text);
}

async function answer(rig: TargetRig, method: string, params: Json): Promise<Json> {
  const { result, error } = await request(rig, { method, params });
  expect(error).toBeUndefined();
  return Object(result);
}

async function create(rig: TargetRig, name = 'a:slow_compute', seconds = 60): Promise<string> {
  return String((await answer(rig, 'tools/call', { name, arguments: { seconds, label: 'x' } }))['taskId']);
}

describe('a task of the extension', () => {
  it('has an id of the gateway, and all else as its target says it', async () => {
    await using rig = await start();
    const handle = await answer(rig, 'tools/call', { name: 'a:slow_compute', arguments: { seconds: 60 } });
    const { taskId } = handle;
    expect(taskId).toMatch(/^[0-9a-f]{32}$/);
    const times = {
      createdAt: expect.any(String),
      lastUpdatedAt: expect.any(String),
      ttlMs: 60_000,
      pollIntervalMs: 100,
    };
    expect(handle).toEqual({ resultType: 'task', taskId, status: 'working', ...times, unknown: { kept: 1 } });
    const state = { resultType: 'complete', taskId, ...times };
    expect(await answer(rig, 'tasks/get', { taskId })).toEqual({ ...state, status: 'working' });
    expect(await answer(rig, 'tasks/cancel', { taskId })).toEqual({ resultType: 'complete' });
    expect(await answer(rig, 'tasks/get', { taskId })).toEqual({ ...state, status: 'cancelled' });
    const { params, headers } = await rig.target.arrival('tasks/cancel');
    expect(params).toMatchObject({ taskId: 'task-1', _meta: declared });
    expect(headers['mcp-name']).toBe('task-1');
  });

  it('has its result inside as the call would have had it, and is given what it asks for', async () => {
    await using rig = await start();
    const taskId = await create(rig, 'a:confirm_delete', 0);
    const { status, inputRequests } = await answer(rig, 'tasks/get', { taskId });
    expect([status, Object.keys(Object(inputRequests))]).toEqual(['input_required', ['input-1']]);
    const inputResponses = { 'input-1': { action: 'accept', content: { name: 'I' } } };
    expect(await answer(rig, 'tasks/update', { taskId, inputResponses })).toEqual({ resultType: 'complete' });
    expect((await rig.target.arrival('tasks/update')).params).toMatchObject({ taskId: 'task-1', inputResponses });
    expect(await answer(rig, 'tasks/get', { taskId })).toMatchObject({
      taskId,
      status: 'completed',
      result: { content: [{ text: JSON.stringify(inputResponses) }] },
    });
  });
});

describe('what a task of the extension has inside', () => {
  it('is as it was written, however large it is', async () => {
    const large = 'x'.repeat(300_000);
    const result = { resultType: 'complete', content: [{ type: 'text', text: large }], n: 1 };
    await using rig = await start(({ method }) =>
      method === 'tools/call'
        ? { result: { resultType: 'task', taskId: 't', status: 'working' } }
        : { result: { resultType: 'complete', taskId: 't', status: 'completed', result } },
    );
    const taskId = await create(rig);
    const get = { token: rig.gateway.token('me'), method: 'tasks/get', params: { taskId }, meta: declared };
    const reply = await readEvents(await ask(rig.gateway, get)).next();
    expect(reply).toEqual({
      jsonrpc: '2.0',
      id: 'mine',
      result: { resultType: 'complete', taskId, status: 'completed', result },
    });
  });

  it('has URIs and ids of the gateway', async () => {
    const inside = {
      status: 'completed',
      result: {
        content: [{ type: 'resource_link', uri: 'file:///a' }],
        _meta: { [related]: { taskId: 't' }, kept: 1 },
      },
      error: { code: -32042, message: 'm', data: { elicitations: [{ elicitationId: 'e' }] } },
      inputRequests: { q: { method: 'elicitation/create', params: { elicitationId: 'e', _meta: { [related]: {} } } } },
    };
    await using rig = await start(({ method }) =>
      method === 'tools/call'
        ? { result: { resultType: 'task', taskId: 't', status: 'working' } }
        : { result: { resultType: 'complete', taskId: 't', ...inside } },
    );
    const taskId = await create(rig);
    expect(await answer(rig, 'tasks/get', { taskId })).toEqual({
      resultType: 'complete',
      taskId,
      status: 'completed',
      result: { content: [{ type: 'resource_link', uri: 'mcp://a/file%3A%2F%2F%2Fa' }], _meta: { kept: 1 } },
      error: { code: -32600, message: 'm', data: { elicitations: [{ elicitationId: 'a:e' }] } },
      inputRequests: { q: { method: 'elicitation/create', params: { elicitationId: 'a:e', _meta: {} } } },
    });
  });
});

describe('tasks of the extension', () => {
  it('are offered under the extensions, and refused to a client that has not declared them', async () => {
    await using rig = await start();
    const discovered = await answer(rig, 'server/discover', {});
    expect(discovered['capabilities']).toMatchObject(withTasks);
    expect(discovered['capabilities']).not.toHaveProperty('tasks');
    const taskId = await create(rig);
    const missing = { code: -32021, data: { requiredCapabilities: withTasks } };
    const token = rig.gateway.token('me');
    const notifications = { taskIds: [taskId] };
    for (const [method, params] of [
      ['tasks/get', { taskId }],
      ['tasks/update', { taskId, inputResponses: {} }],
      ['tasks/cancel', { taskId: 'x' }],
      ['subscriptions/listen', { notifications }],
    ] as const) {
      const response = await ask(rig.gateway, { token, method, params });
      expect(response.status, method).toBe(400);
      expect(JSON.parse(await response.text()), method).toMatchObject({ error: missing });
    }
    for (const method of ['tasks/list', 'tasks/result', 'tasks/subscribe']) {
      const response = await ask(rig.gateway, { token, method, params: { taskId }, meta: declared });
      expect([method, response.status]).toEqual([method, 404]);
    }
  });

  it('are known to their caller whatever the client declares beside tasks', async () => {
    await using rig = await start();
    const taskId = await create(rig);
    const meta = { [key('clientCapabilities')]: withTasks };
    const said = await request(rig, { method: 'tasks/get', params: { taskId }, meta });
    expect(said).toMatchObject({ result: { taskId } });
  });
});

describe('the id of a task of the extension', () => {
  it.each([
    ['another caller', (taskId: string) => taskId, 'you'],
    ['the target itself', () => 'task-1', 'me'],
    ['nobody', () => '0'.repeat(32), 'me'],
    ['a prototype', () => '__proto__', 'me'],
    ['no text', () => '', 'me'],
  ])('of %s is unknown', async (_, idOf, who) => {
    await using rig = await start();
    rig.gateway.config.allow('n.z', 'you', 'tool', 'a:slow_compute');
    const id = idOf(await create(rig));
    for (const method of ['tasks/get', 'tasks/update', 'tasks/cancel']) {
      const params = { taskId: id, inputResponses: {} };
      const { error } = await request(rig, { token: rig.gateway.token(who), method, params });
      expect(error).toEqual(unknownTask(id));
    }
    expect(rig.target.asked.map(({ method }) => method)).toEqual(['tools/call']);
  });

  it.each([1, null, ['x'], { x: 1 }, undefined])('is none when it is %j', async (taskId) => {
    await using rig = await start();
    const { error } = await request(rig, { method: 'tasks/get', params: { taskId } });
    expect(error).toMatchObject({ code: -32602 });
  });

  it('that a header contradicts is refused', async () => {
    await using rig = await start();
    const [one, other] = [await create(rig), await create(rig)];
    const token = rig.gateway.token('me');
    const headers = { 'mcp-name': other };
    const response = await ask(rig.gateway, {
      token,
      method: 'tasks/get',
      params: { taskId: one },
      meta: declared,
      headers,
    });
    expect([response.status, JSON.parse(await response.text())]).toMatchObject([400, { error: { code: -32020 } }]);
  });
});

describe('a task of the extension whose caller may not use its tool any more', () => {
  it.each(['all', 'filtered'] as const)('says nothing when lists are %s, and does again when it may', async (list) => {
    await using rig = await start(undefined, { list });
    const taskId = await create(rig);
    rig.gateway.config.removeConfig('n.x');
    const message = list === 'all' ? 'not allowed: tool a:slow_compute' : 'Unknown tool: a:slow_compute';
    for (const method of ['tasks/get', 'tasks/update', 'tasks/cancel']) {
      const { error } = await request(rig, { method, params: { taskId, inputResponses: {} } });
      expect(error).toMatchObject({ message });
    }
    expect(rig.target.asked.map(({ method }) => method)).toEqual(['tools/call']);
    rig.gateway.config.allow('n.x', 'me', 'tool', 'a:slow_compute');
    expect(await answer(rig, 'tasks/get', { taskId })).toMatchObject({ taskId });
  });

  it('says nothing to a token of the same caller without the claim', async () => {
    await using rig = await start();
    const taskId = await create(rig);
    const token = rig.gateway.token('me', undefined, 'less');
    const { error } = await request(rig, { token, method: 'tasks/get', params: { taskId } });
    expect(error).toMatchObject({ message: 'not allowed: tool a:slow_compute' });
  });
});

describe('targets with tasks of the extension', () => {
  it('with the same ids never meet', async () => {
    await using rig = await start();
    await using b: RawTarget = await startRawTarget(createTaskServer().script, { stateless: true, capabilities });
    rig.gateway.config.putTarget(b.target('b'));
    rig.gateway.config.allow('n.b', 'me', 'tool', 'b:slow_compute');
    const [ofA, ofB] = [await create(rig), await create(rig, 'b:slow_compute')];
    await answer(rig, 'tasks/cancel', { taskId: ofB });
    expect((await b.arrival('tasks/cancel')).params).toMatchObject({ taskId: 'task-1' });
    expect(await answer(rig, 'tasks/get', { taskId: ofA })).toMatchObject({ status: 'working' });
    rig.gateway.config.removeTarget('b');
    expect(await request(rig, { method: 'tasks/get', params: { taskId: ofB } })).toMatchObject({
      error: unknownTask(ofB),
    });
  });

  it('that have forgotten a task say so once', async () => {
    const server = createTaskServer();
    await using rig = await start(server.script);
    const taskId = await create(rig);
    server.restart();
    const get = { method: 'tasks/get', params: { taskId } };
    expect(await request(rig, get)).toMatchObject({ error: { code: -32602, message: /not found/ } });
    expect(await request(rig, get)).toMatchObject({ error: unknownTask(taskId) });
  });

  it.each([
    ['for a client that knows none', {}, { taskId: 't' }, /a task that nobody asked for/],
    ['without an id', declared, {}, /without a usable id/],
    ['with an id that is too long', declared, { taskId: 'x'.repeat(1_025) }, /without a usable id/],
  ])('that create one %s get an error', async (_, meta, handle, message) => {
    await using rig = await start(() => ({ result: { resultType: 'task', status: 'working', ...handle } }));
    const call = { method: 'tools/call', params: { name: 'a:slow_compute' }, meta };
    expect(await request(rig, call)).toMatchObject({ error: { code: -32000, message } });
  });

  it('that say twice what a result is have not answered', async () => {
    const twice = '"result":{"resultType":"complete","content":[],"resultType":"task","taskId":"t"}';
    await using rig = await start(({ id }) => ({
      raw: 'application/json',
      chunks: [`{"jsonrpc":"2.0","id":${JSON.stringify(id)},${twice}}`],
    }));
    const { error } = await request(rig, { method: 'tools/call', params: { name: 'a:slow_compute' } });
    expect(error).toEqual({ code: -32000, message: 'Target a does not answer' });
  });

  it('are told that one is not wanted whose name is too long to be kept', async () => {
    await using rig = await start(() => ({ result: { resultType: 'task', taskId: 't', status: 'working' } }));
    const name = `a:${'x'.repeat(1_100)}`;
    rig.gateway.config.allow('n.long', 'me', 'tool', name);
    expect(await request(rig, { method: 'tools/call', params: { name } })).toMatchObject({ error: { code: -32602 } });
    expect((await rig.target.arrival('tasks/cancel')).params).toMatchObject({ taskId: 't' });
  });

  it('are told so 256 times at once at most when they do not take note', async () => {
    const task = { result: { resultType: 'task', taskId: 't', status: 'working' } };
    await using rig = await start(({ method }) => (method === 'tools/call' ? task : undefined));
    const name = `a:${'x'.repeat(1_100)}`;
    rig.gateway.config.allow('n.long', 'me', 'tool', name);
    const token = rig.gateway.token('me');
    const call = () => request(rig, { token, method: 'tools/call', params: { name } });
    for (let calls = 0; calls < 300; calls += 50) await Promise.all(Array.from({ length: 50 }, call));
    await rig.target.arrival('tasks/cancel', 256);
    expect(rig.target.asked.filter(({ method }) => method === 'tasks/cancel')).toHaveLength(256);
  });
});

/** A target that tells of tasks, and what it tells. */
function telling(): { readonly script: Script; tell(params: Json): void } {
  const { script } = createTaskServer();
  const says = new Set<(params: Json) => void>();
  return {
    script(asked, say) {
      if (asked.method !== 'subscriptions/listen') return script(asked, say);
      const _meta = { [key('subscriptionId')]: asked.id };
      const { taskIds } = Object(asked.params['notifications']);
      say('notifications/subscriptions/acknowledged', { notifications: { taskIds }, _meta });
      says.add((params) => say('notifications/tasks', { ...params, _meta }));
      return undefined;
    },
    tell(params) {
      for (const say of says) say(params);
    },
  };
}

async function listen(
  { gateway }: TargetRig,
  taskIds: readonly string[],
  token = gateway.token('me'),
  notifications: Json = { taskIds },
) {
  const abort = new AbortController();
  const params = { notifications };
  const response = await ask(gateway, {
    token,
    method: 'subscriptions/listen',
    params,
    meta: declared,
    signal: abort.signal,
  });
  const events = readEvents(response);
  return { next: events.next, first: await events.next(), [Symbol.dispose]: () => abort.abort() };
}

describe('subscriptions/listen', () => {
  it('tells of the tasks of the caller with their ids at the gateway, and of no others', async () => {
    const target = telling();
    await using rig = await start(target.script);
    rig.gateway.config.allow('n.z', 'you', 'tool', 'a:slow_compute');
    const [one, other] = [await create(rig), await create(rig)];
    const token = rig.gateway.token('you');
    const call = { token, method: 'tools/call', params: { name: 'a:slow_compute', arguments: { seconds: 60 } } };
    const { taskId: foreign } = Object((await request(rig, call))['result']);
    using listening = await listen(rig, [one, String(foreign), 'task-1']);
    const _meta = { [key('subscriptionId')]: 'mine' };
    expect(listening.first).toMatchObject({ params: { notifications: { taskIds: [one] }, _meta } });
    expect((await rig.target.arrival('subscriptions/listen')).params['notifications']).toEqual({ taskIds: ['task-1'] });
    for (const taskId of ['task-3', 'task-2', 'unknown', 'task-1'])
      target.tell({ taskId, status: 'completed', more: 1 });
    expect(await listening.next()).toEqual({
      jsonrpc: '2.0',
      method: 'notifications/tasks',
      params: { taskId: one, status: 'completed', more: 1, _meta },
    });
    expect(other).not.toBe(one);
  });

  it('tells of tasks over another connection to their target, too', async () => {
    const target = telling();
    let isNew = true;
    await using rig = await start((asked, say) => {
      if (asked.method !== 'tools/list' || !isNew) return target.script(asked, say);
      isNew = false;
      return { error: { code: -32022, message: 'Unsupported protocol version' } };
    });
    const taskId = await create(rig);
    const notifications = { taskIds: [taskId], toolsListChanged: true };
    using listening = await listen(rig, [taskId], rig.gateway.token('me'), notifications);
    expect(listening.first).toMatchObject({ params: { notifications } });
    const { params } = await rig.target.arrival('subscriptions/listen', 2);
    expect(params['notifications']).toEqual({ taskIds: ['task-1'] });
    target.tell({ taskId: 'task-1', status: 'completed' });
    expect(await listening.next()).toMatchObject({ params: { taskId } });
  });

  it('tells nothing of a task whose tool the caller may not use any more', async () => {
    const target = telling();
    await using rig = await start(target.script);
    const [one, other] = [await create(rig), await create(rig, 'a:confirm_delete')];
    using listening = await listen(rig, [one, other]);
    rig.gateway.config.removeConfig('n.x');
    target.tell({ taskId: 'task-1', status: 'completed', result: { secret: true } });
    target.tell({ taskId: 'task-2', status: 'completed' });
    expect(await listening.next()).toMatchObject({ params: { taskId: other } });
  });
});

it('a task is forgotten a day after the last word of it, or an hour after its time, and its room is free again', async () => {
  const clock = createManualClock();
  await using rig = await start(undefined, { clock });
  const token = rig.gateway.token('me', Number.MAX_SAFE_INTEGER);
  const call = { token, method: 'tools/call', params: { name: 'a:slow_compute', arguments: { seconds: 60 } } };
  const { taskId } = Object((await request(rig, call))['result']);
  clock.advance(3_600_000);
  expect(await request(rig, { token, method: 'tasks/get', params: { taskId } })).toMatchObject({ result: { taskId } });
  clock.advance(60_000);
  const { error } = await request(rig, { token, method: 'tasks/get', params: { taskId } });
  expect(error).toEqual(unknownTask(taskId));
});
