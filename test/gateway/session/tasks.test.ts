import { describe, expect, it } from 'vitest';
import { objectIn } from '../../../src/json/json.ts';
import { createManualClock } from '../../support/edges/manual-clock.ts';
import { type RawTarget, type Script, startRawTarget } from '../../support/gateway/raw-target.ts';
import { startTargetRig } from '../../support/gateway/target-rig.ts';
import { openRawClient, type RawClient } from '../../support/nodes/raw-client.ts';

type Json = Readonly<Record<string, unknown>>;

const related = 'io.modelcontextprotocol/related-task';

/** The capabilities of a target that creates tasks for calls. */
const capabilities = { tools: {}, tasks: { list: {}, cancel: {}, requests: { tools: { call: {} } } } };

const unknownTask = (id: string): Json => ({
  code: -32602,
  message: `Unknown task: ${id} (tasks are known to the caller who has created them, until the gateway restarts)`,
});

/** Creates a task with this id for each call that asks for one, and says the same of every task. */
function tasksWith(ids: Iterator<string>, more: Partial<Record<string, Script>> = {}): Script {
  return (request, say) => {
    const { method, params } = request;
    const own = more[method];
    if (own !== undefined) return own(request, say);
    const { taskId } = params;
    const state = { taskId, status: 'working', unknown: { kept: 1 } };
    if (method === 'tasks/get') return { result: state };
    if (method === 'tasks/cancel') return { result: { ...state, status: 'cancelled' } };
    if (method === 'tasks/result') {
      return { result: { content: [{ type: 'text', text: 'done' }], _meta: { [related]: { taskId, more: 1 } } } };
    }
    if (method === 'tools/call' && 'task' in params) {
      return { result: { task: { ...state, taskId: ids.next().value, ttl: 60_000 }, _meta: { kept: 1 } } };
    }
    return { result: {} };
  };
}

/** `t`, again and again. */
function* same(): Generator<string> {
  for (;;) yield 't';
}

function* numbered(): Generator<string> {
  for (let id = 1; ; id += 1) yield `t${id}`;
}

async function create(client: RawClient, name = 'a:x', more: Json = {}): Promise<string> {
  const { result, error } = await client.request('tools/call', { name, task: { ttl: 60_000 }, ...more });
  expect(error).toBeUndefined();
  return String(objectIn(result, 'task')['taskId']);
}

async function startRig(script: Script, clock?: ReturnType<typeof createManualClock>) {
  const rig = await startTargetRig(script, { capabilities, ...(clock && { clock }) });
  rig.gateway.config.allow('n.x', 'me', 'tool', 'a:x');
  return rig;
}

describe('a task', () => {
  it('has an id of the gateway wherever it is named, and all else as its target says it', async () => {
    await using rig = await startRig(tasksWith(same()));
    const client = await rig.open();
    const reply = await client.request('tools/call', { name: 'a:x', task: { ttl: 60_000, more: 1 } });
    expect((await rig.target.arrival('tools/call')).params).toEqual({ name: 'x', task: { ttl: 60_000, more: 1 } });
    const taskId = String(objectIn(reply.result, 'task')['taskId']);
    expect(taskId).toMatch(/^[0-9a-f]{32}$/);
    const state = { taskId, status: 'working', unknown: { kept: 1 } };
    expect(reply.result).toEqual({ task: { ...state, ttl: 60_000 }, _meta: { kept: 1 } });
    expect((await client.request('tasks/get', { taskId })).result).toEqual(state);
    expect((await client.request('tasks/result', { taskId })).result).toEqual({
      content: [{ type: 'text', text: 'done' }],
      _meta: { [related]: { taskId } },
    });
    expect((await client.request('tasks/cancel', { taskId })).result).toEqual({ ...state, status: 'cancelled' });
    expect((await rig.target.arrival('tasks/cancel')).params).toEqual({ taskId: 't' });
  });

  it('is offered by the handshake of 2025-11-25, and not by those before and after', async () => {
    await using rig = await startRig(tasksWith(same()));
    for (const [version, offered] of [
      ['2025-11-25', true],
      ['2025-06-18', false],
    ] as const) {
      const client = await openRawClient(rig.gateway, rig.gateway.token('me'), version);
      const { result } = await client.request('tools/call', { name: 'a:x', task: {} });
      expect(result).toEqual(offered ? expect.objectContaining({ task: expect.anything() }) : {});
      const { error } = await client.request('tasks/list');
      expect(error).toEqual(offered ? undefined : { code: -32601, message: 'Method not found' });
    }
  });

  it('is not asked of a target that has none: the call is processed normally', async () => {
    await using rig = await startTargetRig(tasksWith(same()));
    rig.gateway.config.allow('n.x', 'me', 'tool', 'a:x');
    const client = await rig.open();
    expect((await client.request('tools/call', { name: 'a:x', task: {} })).result).toEqual({});
    expect((await rig.target.arrival('tools/call')).params).toEqual({ name: 'x' });
  });

  it('of another caller, of another session, or of the target itself is unknown, and so is one of no text', async () => {
    await using rig = await startRig(tasksWith(same()));
    rig.gateway.config.allow('n.x', 'other', 'tool', 'a:x');
    const taskId = await create(await rig.open());
    const [other, again] = [await rig.open('other'), await rig.open()];
    for (const method of ['tasks/get', 'tasks/result', 'tasks/cancel']) {
      expect((await other.request(method, { taskId })).error).toEqual(unknownTask(taskId));
      expect((await again.request(method, { taskId })).error).toEqual(unknownTask(taskId));
      expect((await again.request(method, { taskId: 't' })).error).toEqual(unknownTask('t'));
      expect((await again.request(method, { taskId: 1 })).error).toMatchObject({ code: -32602 });
    }
    expect((await other.request('tasks/list')).result).toEqual({ tasks: [] });
    expect(rig.target.asked.map(({ method }) => method)).toEqual(['tools/call']);
  });
});

describe('a task whose caller may not use its tool any more', () => {
  it('says nothing', async () => {
    await using rig = await startRig(tasksWith(same()));
    rig.gateway.config.allow('n.y', 'me', 'tool', 'a:y');
    const client = await rig.open();
    const [taskId, other] = [await create(client), await create(client, 'a:y')];
    rig.gateway.config.removeConfig('n.x');
    // The target has given both the same id, so that the first of them is gone.
    expect((await client.request('tasks/get', { taskId })).error).toEqual(unknownTask(taskId));
    expect((await client.request('tasks/get', { taskId: other })).result).toMatchObject({ taskId: other });
    rig.gateway.config.removeConfig('n.y');
    for (const method of ['tasks/get', 'tasks/result', 'tasks/cancel']) {
      expect((await client.request(method, { taskId: other })).error?.message).toBe('not allowed: tool a:y');
    }
    expect((await client.request('tasks/list')).result).toEqual({ tasks: [] });
  });

  it('gives no result that comes after that', async () => {
    const go = Promise.withResolvers<void>();
    const script = tasksWith(same(), {
      async 'tasks/result'() {
        await go.promise;
        return { result: { content: [], secret: true } };
      },
    });
    await using rig = await startRig(script);
    const client = await rig.open();
    const taskId = await create(client);
    const lastId = await abandon(rig, client, 'tasks/result', { taskId });
    rig.gateway.config.removeConfig('n.x');
    go.resolve();
    const resumed = await client.listen(undefined, lastId);
    expect(await resumed.next()).toMatchObject({ id: 90, error: { code: -32000 } });
  });

  it('is in no list that is delivered after that, whose other tasks are', async () => {
    const go = Promise.withResolvers<void>();
    const script = tasksWith(numbered(), {
      async 'tasks/list'() {
        await go.promise;
        const states = ['t1', 't2'].map((taskId) => ({ taskId, status: 'working', kept: 1 }));
        return { result: { tasks: states } };
      },
    });
    await using rig = await startRig(script);
    rig.gateway.config.allow('n.y', 'me', 'tool', 'a:y');
    const client = await rig.open();
    await create(client);
    const other = await create(client, 'a:y');
    const lastId = await abandon(rig, client, 'tasks/list', {});
    go.resolve();
    const whole = await client.listen(undefined, lastId);
    expect(Object((await whole.next())?.['result']).tasks).toHaveLength(2);
    rig.gateway.config.removeConfig('n.x');
    const later = await create(client, 'a:y');
    const resumed = await client.listen(undefined, lastId);
    expect(await resumed.next()).toMatchObject({
      id: 90,
      result: { tasks: [{ taskId: other, status: 'working', kept: 1 }] },
    });
    expect(later).not.toBe(other);
  });
});

/** Sends a request and leaves before its response; returns the id of the event that the stream began with. */
async function abandon(
  { gateway, target }: Awaited<ReturnType<typeof startRig>>,
  client: RawClient,
  method: string,
  params: Json,
): Promise<string | undefined> {
  const abort = new AbortController();
  const headers = { authorization: `Bearer ${gateway.token('me')}`, 'mcp-session-id': client.sessionId };
  const response = await fetch(`${gateway.url}/mcp`, {
    method: 'POST',
    headers: { ...headers, accept: 'application/json, text/event-stream', 'content-type': 'application/json' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 90, method, params }),
    signal: abort.signal,
  });
  const reader = response.body?.getReader();
  const primer = new TextDecoder().decode((await reader?.read())?.value);
  await target.arrival(method);
  abort.abort();
  return /id: (\S+)/.exec(primer)?.[1];
}

describe('a list of tasks', () => {
  it('lacks a task whose state is too large for one, which tasks/get has', async () => {
    const script = tasksWith(numbered(), {
      'tasks/get': ({ params: { taskId } }) => ({
        result: { taskId, status: 'working', statusMessage: 'x'.repeat(taskId === 't1' ? 1024 * 1024 : 1) },
      }),
    });
    await using rig = await startRig(script);
    const client = await rig.open();
    const [large, small] = [await create(client), await create(client)];
    expect((await client.request('tasks/list')).result).toMatchObject({ tasks: [{ taskId: small }] });
    expect((await client.request('tasks/get', { taskId: large })).result).toMatchObject({ taskId: large });
  });

  it('asks for each task of a target whose own list is too large', async () => {
    const endless: Script = ({ params }) => ({
      result: { tasks: [{ taskId: 'foreign' }], nextCursor: `${params['cursor'] ?? ''}x` },
    });
    await using rig = await startRig(tasksWith(numbered(), { 'tasks/list': endless }));
    const client = await rig.open();
    const taskId = await create(client);
    expect((await client.request('tasks/list')).result).toMatchObject({ tasks: [{ taskId, status: 'working' }] });
  });
});

describe('two targets with the same id of a task', () => {
  async function startTwo(): Promise<{ readonly rig: Awaited<ReturnType<typeof startRig>>; readonly b: RawTarget }> {
    const rig = await startRig(tasksWith(same(), { 'tasks/list': foreign('a') }));
    const b = await startRawTarget(tasksWith(same(), { 'tasks/list': foreign('b') }), { capabilities });
    rig.gateway.config.putTarget(b.target('b'));
    rig.gateway.config.allow('n.b', 'me', 'tool', 'b:x');
    return { rig, b };
  }
  const foreign =
    (by: string): Script =>
    () => ({
      result: {
        tasks: [
          { taskId: 'of another gateway', secret: true },
          { taskId: 't', status: 'working', by },
        ],
      },
    });

  it('have two, and lists have both, but none that another caller has there', async () => {
    const { rig, b } = await startTwo();
    await using _ = rig;
    await using __ = b;
    const client = await rig.open();
    const [ofA, ofB] = [await create(client), await create(client, 'b:x')];
    expect(ofA).not.toBe(ofB);
    expect((await client.request('tasks/list')).result).toEqual({
      tasks: [
        { taskId: ofA, status: 'working', by: 'a' },
        { taskId: ofB, status: 'working', by: 'b' },
      ],
    });
    await client.request('tasks/get', { taskId: ofB });
    expect((await b.arrival('tasks/get')).params).toEqual({ taskId: 't' });
    expect(rig.target.asked.some(({ method }) => method === 'tasks/get')).toBe(false);
    rig.gateway.config.removeTarget('b');
    expect((await client.request('tasks/get', { taskId: ofB })).error).toEqual(unknownTask(ofB));
  });
});

/** Says each notification before the response to a call of `a:say`. */
const saying = (...messages: readonly (readonly [string, Json])[]): Script =>
  tasksWith(numbered(), {
    'tools/call'({ params }, say) {
      if ('task' in params) return { result: { task: { taskId: 't1', status: 'working' } } };
      for (const [method, said] of messages) say(method, said);
      return { result: {} };
    },
  });

describe('what a target says of a task', () => {
  it('reaches its caller with the id of the client, and nobody with any other id', async () => {
    const about = (taskId: string): Json => ({ data: 1, _meta: { [related]: { taskId }, kept: 1 } });
    await using rig = await startRig(
      saying(
        ['notifications/tasks/status', { taskId: 'foreign', status: 'failed' }],
        ['notifications/tasks/status', { taskId: 't1', status: 'completed', more: 1 }],
        ['notifications/progress', { progressToken: 1, progress: 2 }],
        ['notifications/message', about('t1')],
        ['notifications/message', about('foreign')],
      ),
    );
    rig.gateway.config.allow('n.y', 'me', 'tool', 'a:say');
    const client = await rig.open();
    const stream = await client.listen();
    const taskId = await create(client, 'a:x', { _meta: { progressToken: 'mine' } });
    const { before } = await client.request('tools/call', { name: 'a:say' });
    expect(before).toMatchObject([
      { params: { data: 1, _meta: { [related]: { taskId }, kept: 1 } } },
      { params: { data: 1, _meta: { kept: 1 } } },
    ]);
    expect(JSON.stringify(before)).not.toContain('foreign');
    expect(await stream.next()).toEqual({
      jsonrpc: '2.0',
      method: 'notifications/tasks/status',
      params: { taskId, status: 'completed', more: 1 },
    });
    expect(await stream.next()).toMatchObject({ params: { progressToken: 'mine', progress: 2 } });
  });

  it('does not reach a caller who may not use its tool any more', async () => {
    await using rig = await startRig(saying(['notifications/tasks/status', { taskId: 't1', status: 'completed' }]));
    rig.gateway.config.allow('n.y', 'me', 'tool', 'a:say');
    const client = await rig.open();
    await create(client);
    const stream = await client.listen();
    rig.gateway.config.removeConfig('n.x');
    await client.request('tools/call', { name: 'a:say' });
    rig.gateway.config.putTarget(rig.target.target('a'));
    expect(await stream.next()).toMatchObject({ method: expect.stringContaining('list_changed') });
  });

  it('as a question has the id of the client, and the answer the id of the target', async () => {
    const answered = Promise.withResolvers<void>();
    const script = tasksWith(same(), {
      async 'tasks/result'(_, say) {
        say('elicitation/create', { mode: 'form', _meta: { [related]: { taskId: 't' } } }, 'q');
        await answered.promise;
        return { result: { content: [] } };
      },
    });
    await using rig = await startRig(script);
    const client = await rig.open('me', { elicitation: {} });
    const taskId = await create(client);
    const asked = Promise.withResolvers<Json>();
    const reply = client.request('tasks/result', { taskId }, { said: asked.resolve });
    const question = await asked.promise;
    expect(question['params']).toMatchObject({ _meta: { [related]: { taskId } } });
    await client.answer(question['id'], { result: { action: 'accept', _meta: { [related]: { taskId } } } });
    expect((await rig.target.arrival('answer')).params).toMatchObject({
      result: { action: 'accept', _meta: { [related]: { taskId: 't' } } },
    });
    answered.resolve();
    expect((await reply).result).toEqual({ content: [] });
  });
});

describe('the tasks of one session', () => {
  it('are 256 at most, of which the oldest that is over, or that its target may have forgotten, makes room', async () => {
    const clock = createManualClock();
    await using rig = await startRig(tasksWith(numbered()), clock);
    const client = await rig.open();
    const ids: string[] = [];
    while (ids.length < 256) ids.push(await create(client));
    const more = { name: 'a:x', task: {} };
    const { error } = await client.request('tools/call', more);
    expect(error).toEqual({ code: -32000, message: expect.stringContaining('at most 256 tasks') });
    expect(rig.target.asked).toHaveLength(256);
    const [first = '', second = '', third = ''] = ids;
    await client.request('tasks/cancel', { taskId: second });
    await create(client);
    expect((await client.request('tasks/get', { taskId: second })).error).toEqual(unknownTask(second));
    expect((await client.request('tasks/get', { taskId: first })).result).toMatchObject({ taskId: first });
    clock.advance(60_000);
    await create(client);
    expect((await client.request('tasks/get', { taskId: first })).error).toEqual(unknownTask(first));
    expect((await client.request('tasks/get', { taskId: third })).result).toMatchObject({ taskId: third });
  });

  it('make room when one has failed, which its result says', async () => {
    const error = { code: -32603, message: 'broken' };
    await using rig = await startRig(tasksWith(numbered(), { 'tasks/result': () => ({ error }) }));
    const client = await rig.open();
    const ids: string[] = [];
    while (ids.length < 256) ids.push(await create(client));
    expect((await client.request('tasks/result', { taskId: ids[1] })).error).toEqual(error);
    await create(client);
    const [first, second] = ids;
    expect((await client.request('tasks/get', { taskId: second })).error).toEqual(unknownTask(String(second)));
    expect((await client.request('tasks/get', { taskId: first })).error).toBeUndefined();
  });

  it.each([
    ['without an id', { status: 'working' }],
    ['with an id that is too long', { taskId: 'x'.repeat(1_025) }],
  ])('get none %s, which is an error of the target', async (_, task) => {
    await using rig = await startRig(tasksWith(same(), { 'tools/call': () => ({ result: { task } }) }));
    const client = await rig.open();
    const { error } = await client.request('tools/call', { name: 'a:x', task: {} });
    expect(error).toEqual({ code: -32000, message: 'Target a has created a task without a usable id' });
  });
});
