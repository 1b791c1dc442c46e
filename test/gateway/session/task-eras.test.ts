import { describe, expect, it } from 'vitest';
import { createManualClock } from '../../support/edges/manual-clock.ts';
import type { Script } from '../../support/gateway/raw-target.ts';
import { startTargetRig, type TargetRig, type TargetRigOptions } from '../../support/gateway/target-rig.ts';
import { createTaskServer, withTasks } from '../../support/gateway/task-server.ts';
import { openRawClient, post } from '../../support/nodes/raw-client.ts';
import { ask, key } from '../../support/nodes/stateless-client.ts';

type Json = Readonly<Record<string, unknown>>;

const related = key('related-task');
const times = { createdAt: expect.any(String), lastUpdatedAt: expect.any(String), ttl: 60_000, pollInterval: 100 };

/** A target of MCP 2026-07-28 alone, with the extension of tasks. */
async function startLater(
  script: Script = createTaskServer().script,
  options: Pick<TargetRigOptions, 'clock' | 'callTimeoutOf'> = {},
): Promise<TargetRig> {
  const capabilities = { tools: {}, ...withTasks };
  const rig = await startTargetRig(script, { stateless: true, capabilities, ...options });
  rig.gateway.config.allowAll('n.x', 'me');
  return rig;
}

const methodsOf = ({ target }: TargetRig): readonly string[] => target.asked.map(({ method }) => method);

describe('a client that knows no tasks, at a target whose calls become tasks', () => {
  it.each(['2025-11-25', '2025-03-26'])('of MCP %s gets the result of the task', async (version) => {
    await using rig = await startLater();
    const client = await openRawClient(rig.gateway, rig.gateway.token('me'), version);
    const compute = { name: 'a:slow_compute', arguments: { seconds: 0.15, label: 'x' } };
    expect((await client.request('tools/call', compute)).result).toEqual({
      resultType: 'complete',
      content: [{ type: 'text', text: 'computed x' }],
    });
    expect(methodsOf(rig).filter((method) => method === 'tasks/get').length).toBeGreaterThan(0);
    const failing = await client.request('tools/call', { name: 'a:failing_job' });
    expect(failing.result).toMatchObject({ isError: true });
    const { error } = await client.request('tools/call', { name: 'a:protocol_error_job' });
    expect(error).toEqual({ code: -32603, message: 'broken', data: { kept: 1 } });
  });

  it('is asked for what the task asks for, once', async () => {
    await using rig = await startLater();
    const client = await rig.open('me', { elicitation: {} });
    const asked: Json[] = [];
    const { result } = await client.request(
      'tools/call',
      { name: 'a:multi_input' },
      {
        said(question) {
          asked.push(question);
          void client.answer(question['id'], { result: { action: 'accept', content: { n: asked.length } } });
        },
      },
    );
    expect(asked.map(({ method }) => method)).toEqual(['elicitation/create', 'elicitation/create']);
    expect(JSON.stringify(asked)).not.toContain(related);
    expect(JSON.stringify(result)).toMatch(/input-1.*input-2/);
    expect(methodsOf(rig).filter((method) => method === 'tasks/update')).toHaveLength(1);
  });

  it('gets an error when it cannot give what the task asks for, and the task is cancelled', async () => {
    await using rig = await startLater();
    const client = await rig.open();
    const { error } = await client.request('tools/call', { name: 'a:confirm_delete' });
    expect(error).toEqual({ code: -32000, message: 'Target a does not answer' });
    expect((await rig.target.arrival('tasks/cancel')).params).toMatchObject({ taskId: 'task-1' });
  });

  it('cancels the task with its call', async () => {
    await using rig = await startLater();
    const client = await rig.open();
    const call = { name: 'a:slow_compute', arguments: { seconds: 60 } };
    const abandoned = post(rig.gateway, rig.gateway.token('me'), client.sessionId, {
      jsonrpc: '2.0',
      id: 'slow',
      method: 'tools/call',
      params: call,
    });
    await rig.target.arrival('tasks/get');
    await client.notify('notifications/cancelled', { requestId: 'slow' });
    expect((await rig.target.arrival('tasks/cancel')).params).toMatchObject({ taskId: 'task-1' });
    await (await abandoned).body?.cancel();
  });
});

describe('the call of a client that knows no tasks', () => {
  it('ends with the time limit while its task is waited for, and the error says so', async () => {
    const clock = createManualClock();
    await using rig = await startLater(createTaskServer().script, { clock, callTimeoutOf: () => 50 });
    const client = await rig.open();
    const calling = client.request('tools/call', { name: 'a:slow_compute', arguments: { seconds: 60 } });
    await rig.target.arrival('tools/call');
    await expect.poll(() => clock.waiting()).toContain(100);
    clock.advance(50);
    expect((await calling).error?.message).toBe('Target a does not answer: no answer within 0.05 s (--method-timeout)');
    await rig.target.arrival('tasks/cancel');
  });

  it('gets the error of a target that has forgotten the task', async () => {
    const server = createTaskServer();
    await using rig = await startLater((asked, say) => {
      if (asked.method === 'tasks/get') server.restart();
      return server.script(asked, say);
    });
    const { error } = await (await rig.open()).request('tools/call', { name: 'a:slow_compute' });
    expect(error).toEqual({ code: -32602, message: 'Failed to retrieve task: Task not found' });
  });

  it('gets its result at once where none is created', async () => {
    await using rig = await startLater();
    const client = await rig.open();
    const { result } = await client.request('tools/call', { name: 'a:greet', arguments: { name: 'I' } });
    expect(result).toMatchObject({ content: [{ text: 'Hello, I!' }] });
    expect(methodsOf(rig)).toEqual(['tools/call']);
  });
});

describe('a client with tasks of MCP 2025-11-25, at a target with those of the extension', () => {
  async function create(client: Awaited<ReturnType<TargetRig['open']>>, name: string, args: Json = {}) {
    const { result } = await client.request('tools/call', { name, arguments: args, task: { ttl: 1 } });
    return Object(result).task;
  }

  it('asks for a task, its state, its list, its result and its end as it knows them', async () => {
    await using rig = await startLater();
    const client = await rig.open();
    const task = await create(client, 'a:slow_compute', { seconds: 0.1, label: 'x' });
    const { taskId } = task;
    expect(task).toEqual({ taskId, status: 'working', ...times, unknown: { kept: 1 } });
    expect(taskId).toMatch(/^[0-9a-f]{32}$/);
    expect((await rig.target.arrival('tools/call')).params).not.toHaveProperty('task');
    expect((await client.request('tasks/result', { taskId })).result).toEqual({
      resultType: 'complete',
      content: [{ type: 'text', text: 'computed x' }],
      _meta: { [related]: { taskId } },
    });
    const state = { taskId, status: 'completed', ...times };
    expect((await client.request('tasks/get', { taskId })).result).toEqual(state);
    expect((await client.request('tasks/list')).result).toEqual({ tasks: [state] });
    const other = await create(client, 'a:slow_compute', { seconds: 60 });
    expect((await client.request('tasks/cancel', { taskId: other.taskId })).result).toEqual({
      taskId: other.taskId,
      status: 'cancelled',
      ...times,
    });
    const { error } = await client.request('tasks/result', { taskId: other.taskId });
    expect(error).toEqual({ code: -32600, message: 'The task was cancelled' });
    expect(methodsOf(rig)).not.toContain('tasks/list');
  });

  it('is asked for what a task asks for while it waits for the result', async () => {
    await using rig = await startLater();
    const client = await rig.open('me', { elicitation: {} });
    const { taskId } = await create(client, 'a:confirm_delete');
    expect((await client.request('tasks/get', { taskId })).result).toEqual({
      taskId,
      status: 'input_required',
      ...times,
    });
    const { result } = await client.request(
      'tasks/result',
      { taskId },
      {
        said({ id, params }) {
          expect(params).toMatchObject({ message: 'Name?', _meta: { [related]: { taskId } } });
          void client.answer(id, { result: { action: 'decline' } });
        },
      },
    );
    expect(JSON.stringify(result)).toContain('decline');
  });
});

/** What a target of MCP 2025-11-25 says of its only task, whose tool `x` has to be one. */
interface Earlier {
  status: string;
  readonly result: (say: Parameters<Script>[1]) => ReturnType<Script>;
  /** Requests for the second page of tools that are errors. */
  unansweredPages?: number;
}

async function startEarlier(
  earlier: Earlier,
  options: Pick<TargetRigOptions, 'maxTargetRequests'> = {},
): Promise<TargetRig> {
  const script: Script = ({ method, params }, say) => {
    const state = { taskId: 't', status: earlier.status, ttl: null, pollInterval: 5, unknown: { kept: 1 } };
    if (method === 'tools/list') {
      const isFirst = params['cursor'] === undefined;
      const unanswered = earlier.unansweredPages ?? 0;
      if (!isFirst && unanswered > 0) {
        earlier.unansweredPages = unanswered - 1;
        return { error: { code: -32603, message: 'try again' } };
      }
      const tool = isFirst ? { name: 'y' } : { name: 'x', execution: { taskSupport: 'required' } };
      return { result: { tools: [tool], ...(isFirst && { nextCursor: 'more' }) } };
    }
    if (method === 'tools/call')
      return { result: 'task' in params ? { task: state, _meta: { kept: 1 } } : { content: [] } };
    if (method === 'tasks/get') return { result: state };
    if (method === 'tasks/cancel') return { error: { code: -32602, message: 'It is over' } };
    return method === 'tasks/result' ? earlier.result(say) : { result: {} };
  };
  const capabilities = { tools: {}, tasks: { cancel: {}, requests: { tools: { call: {} } } } };
  const rig = await startTargetRig(script, { capabilities, ...options });
  rig.gateway.config.allowAll('n.x', 'me');
  return rig;
}

const meta = { [key('clientCapabilities')]: { ...withTasks, elicitation: {} } };

async function request({ gateway }: TargetRig, method: string, params: Json, said: Json = meta): Promise<Json> {
  return JSON.parse(await (await ask(gateway, { token: gateway.token('me'), method, params, meta: said })).text());
}

describe('a client of MCP 2026-07-28, at a target with tasks of MCP 2025-11-25', () => {
  it('has tasks of the extension for calls that have to be one, with the result inside', async () => {
    const result = { content: [{ type: 'resource_link', uri: 'file:///a' }], _meta: { [related]: { taskId: 't' } } };
    const earlier: Earlier = { status: 'working', result: () => ({ result }) };
    await using rig = await startEarlier(earlier);
    expect(await request(rig, 'tools/call', { name: 'a:y' })).toMatchObject({ result: { resultType: 'complete' } });
    const called = await request(rig, 'tools/call', { name: 'a:x' });
    const { taskId } = Object(called['result']);
    const later = { ttlMs: null, pollIntervalMs: 5, unknown: { kept: 1 } };
    expect(called['result']).toEqual({ resultType: 'task', taskId, status: 'working', ...later, _meta: { kept: 1 } });
    const state = { resultType: 'complete', taskId, ...later };
    expect((await request(rig, 'tasks/get', { taskId }))['result']).toEqual({ ...state, status: 'working' });
    earlier.status = 'failed';
    expect((await request(rig, 'tasks/get', { taskId }))['result']).toEqual({
      ...state,
      status: 'completed',
      result: {
        resultType: 'complete',
        content: [{ type: 'resource_link', uri: 'mcp://a/file%3A%2F%2F%2Fa' }],
        _meta: {},
      },
    });
    expect((await request(rig, 'tasks/cancel', { taskId }))['result']).toEqual({ resultType: 'complete' });
  });

  it('sees the error of a task as that of the call', async () => {
    const error = { code: -32001, message: 'broken', data: { text: 'x'.repeat(30_000) } };
    await using rig = await startEarlier({ status: 'failed', result: () => ({ error }) });
    const { taskId } = Object((await request(rig, 'tools/call', { name: 'a:x' }))['result']);
    expect((await request(rig, 'tasks/get', { taskId }))['result']).toMatchObject({ status: 'failed', error });
  });
});

describe('a client of MCP 2026-07-28, at a target with tasks of MCP 2025-11-25', () => {
  it('is told that such a call needs the extension', async () => {
    await using rig = await startEarlier({ status: 'working', result: () => undefined });
    const plain = { [key('clientCapabilities')]: {} };
    expect(await request(rig, 'tools/call', { name: 'a:x' }, plain)).toMatchObject({
      error: { code: -32021, data: { requiredCapabilities: withTasks } },
    });
    expect(methodsOf(rig)).toEqual(['tools/list', 'tools/list']);
  });

  it('has one for a tool on a later page of the list, also when that was not answered at first', async () => {
    const earlier: Earlier = { status: 'working', result: () => undefined, unansweredPages: 1 };
    await using rig = await startEarlier(earlier);
    await request(rig, 'tools/call', { name: 'a:y' });
    for (let calls = 0; calls < 2; calls += 1) {
      expect(await request(rig, 'tools/call', { name: 'a:x' })).toMatchObject({ result: { resultType: 'task' } });
    }
    expect(methodsOf(rig).filter((method) => method === 'tools/list')).toHaveLength(4);
  });

  it.each([
    [-32042, -32600],
    [-32002, -32602],
  ])('sees the error %i of a task with the code that this revision has for it', async (code, expected) => {
    const elicitations = [{ mode: 'url', url: 'https://a.example', elicitationId: 'e', message: 'm' }];
    const error = { code, message: 'first', data: { elicitations } };
    await using rig = await startEarlier({ status: 'failed', result: () => ({ error }) });
    const { taskId } = Object((await request(rig, 'tools/call', { name: 'a:x' }))['result']);
    expect((await request(rig, 'tasks/get', { taskId }))['result']).toMatchObject({
      status: 'failed',
      error: { code: expected, message: 'first' },
    });
  });
});

describe('a client of MCP 2026-07-28, at a target with tasks of MCP 2025-11-25', () => {
  it('is not asked to open a page when it opens none', async () => {
    const page = { mode: 'url', url: 'https://a.example', elicitationId: 'e', _meta: { [related]: { taskId: 't' } } };
    await using rig = await startEarlier({
      status: 'input_required',
      result(say) {
        say('elicitation/create', page, 'q');
        return undefined;
      },
    });
    const { taskId } = Object((await request(rig, 'tools/call', { name: 'a:x' }))['result']);
    await request(rig, 'tasks/get', { taskId });
    expect((await rig.target.arrival('answer')).params).toMatchObject({ error: { code: -32602 } });
    expect((await request(rig, 'tasks/get', { taskId }))['result']).toMatchObject({ status: 'working' });
  });

  it.each([
    [1, 0],
    [2, 1],
  ])(
    'asks a target that may have %i requests open for what a task wants in %i beside its own',
    async (most, expected) => {
      const earlier: Earlier = { status: 'input_required', result: () => undefined };
      await using rig = await startEarlier(earlier, { maxTargetRequests: most });
      const { taskId } = Object((await request(rig, 'tools/call', { name: 'a:x' }))['result']);
      for (let polls = 0; polls < 2; polls += 1) {
        expect((await request(rig, 'tasks/get', { taskId }))['result']).toMatchObject({ status: 'working' });
      }
      expect(methodsOf(rig).filter((method) => method === 'tasks/result')).toHaveLength(expected);
      const refused = rig.gateway.counters.total('gatehouse_gateway_requests_refused_total', { reason: 'target' });
      expect(refused).toBe(expected === 0 ? 2 : 0);
    },
  );
});

describe('a client of MCP 2026-07-28, at a target with tasks of MCP 2025-11-25', () => {
  it('sees what a task asks for, and answers it', async () => {
    const question = { mode: 'form', message: 'Name?', _meta: { [related]: { taskId: 't' } } };
    const earlier: Earlier = {
      status: 'input_required',
      result(say) {
        say('elicitation/create', question, 'q');
        return undefined;
      },
    };
    await using rig = await startEarlier(earlier);
    const { taskId } = Object((await request(rig, 'tools/call', { name: 'a:x' }))['result']);
    let state: Json = {};
    while (state['inputRequests'] === undefined)
      state = Object((await request(rig, 'tasks/get', { taskId }))['result']);
    const [name = ''] = Object.keys(Object(state['inputRequests']));
    expect(state).toMatchObject({
      status: 'input_required',
      inputRequests: {
        [name]: { method: 'elicitation/create', params: { mode: 'form', message: 'Name?', _meta: {} } },
      },
    });
    const inputResponses = { other: {}, [name]: { action: 'accept', content: { name: 'I' } } };
    expect((await request(rig, 'tasks/update', { taskId, inputResponses }))['result']).toEqual({
      resultType: 'complete',
    });
    expect(await rig.target.arrival('answer')).toMatchObject({
      id: 'q',
      params: { result: { action: 'accept', content: { name: 'I' }, _meta: { [related]: { taskId: 't' } } } },
    });
    // On the one stream that was opened for it; it asks nothing any more.
    expect((await request(rig, 'tasks/get', { taskId }))['result']).toMatchObject({ status: 'working' });
    expect(rig.target.asked.filter(({ method }) => method === 'tasks/result')).toHaveLength(1);
  });
});
