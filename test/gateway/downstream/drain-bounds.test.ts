import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { objectIn } from '../../../src/json/json.ts';
import { createManualClock, type ManualClock } from '../../support/edges/manual-clock.ts';
import type { Script } from '../../support/gateway/raw-target.ts';
import { startTargetRig, type TargetRig } from '../../support/gateway/target-rig.ts';
import { createTaskServer, withTasks } from '../../support/gateway/task-server.ts';
import { ask, key } from '../../support/nodes/stateless-client.ts';

type Json = Readonly<Record<string, unknown>>;

async function json(response: Promise<Response>) {
  return JSON.parse(await (await response).text());
}

/** A drain, of which a test sees whether it is over. */
function begin({ gateway }: TargetRig, limit: number) {
  const drain = { isOver: false, over: Promise.resolve() };
  drain.over = gateway.downstream.drain(limit).then(() => {
    drain.isOver = true;
  });
  return drain;
}

/** Lets so many milliseconds pass, in which a drain looks around. */
async function pass(clock: ManualClock, milliseconds: number): Promise<void> {
  for (let passed = 0; passed < milliseconds; passed += 100) {
    clock.advance(100);
    for (let turns = 0; turns < 5; turns += 1) await turn();
  }
}

describe('a task of MCP 2026-07-28', () => {
  async function start() {
    const clock = createManualClock();
    const rig = await startTargetRig(createTaskServer().script, {
      clock,
      stateless: true,
      capabilities: { tools: {}, ...withTasks },
    });
    rig.gateway.config.allow('n.p', 'me', 'tool', 'a:slow_compute');
    const token = rig.gateway.token('me');
    const meta = { [key('clientCapabilities')]: withTasks };
    const request = (method: string, params: Json) => json(ask(rig.gateway, { token, meta, method, params }));
    const { result } = await request('tools/call', { name: 'a:slow_compute', arguments: { seconds: 3_600 } });
    return { rig, clock, request, taskId: result.taskId };
  }

  it('that its client asks about keeps a drain from its end, until the client has that of the task', async () => {
    const { rig, clock, request, taskId } = await start();
    await using _ = rig;
    const drain = begin(rig, 60_000);
    for (let times = 0; times < 3; times += 1) {
      await pass(clock, 10_000);
      expect((await request('tasks/get', { taskId })).result).toMatchObject({ status: 'working' });
    }
    expect(drain.isOver).toBe(false);
    await request('tasks/cancel', { taskId });
    await pass(clock, 100);
    await drain.over;
  });

  it('that nobody has asked about for half a minute is not waited for', async () => {
    const { rig, clock } = await start();
    await using _ = rig;
    clock.advance(30_000);
    await rig.gateway.downstream.drain(60_000);
    expect(rig.gateway.log.lines.map(({ message }) => message)).not.toContain('waits for the requests in flight');
  });

  it('ends a drain with its time, and is unknown to a gateway that is started again, which says so', async () => {
    const { rig, clock, taskId } = await start();
    await using _ = rig;
    const drain = begin(rig, 9_000);
    await pass(clock, 9_000);
    await drain.over;
    expect(rig.gateway.log.lines.at(-1)).toMatchObject({ level: 'warn', fields: { requests: 0, tasks: 1 } });
    const next = await start();
    await using __ = next.rig;
    expect((await next.request('tasks/get', { taskId })).error).toMatchObject({
      code: -32602,
      message: expect.stringContaining('until the gateway restarts'),
    });
  });
});

it('a task of MCP 2025-11-25 keeps a drain from its end until its client has the result, also when it is completed', async () => {
  const clock = createManualClock();
  const task = { taskId: 't', status: 'working', ttl: 60_000 };
  const script: Script = ({ method, params }) => {
    if (method === 'tools/call') return { result: { task } };
    return { result: method === 'tasks/get' ? { ...task, ...params, status: 'completed' } : { content: [] } };
  };
  const capabilities = { tools: {}, tasks: { requests: { tools: { call: {} } } } };
  await using rig = await startTargetRig(script, { clock, capabilities });
  rig.gateway.config.allow('n.p', 'me', 'tool', 'a:x');
  const client = await rig.open();
  const { result } = await client.request('tools/call', { name: 'a:x', task: { ttl: 60_000 } });
  const { taskId } = objectIn(result, 'task');
  const drain = begin(rig, 60_000);
  expect((await client.request('tasks/get', { taskId })).result).toMatchObject({ status: 'completed' });
  await pass(clock, 1_000);
  expect(drain.isOver).toBe(false);
  expect((await client.request('tasks/result', { taskId })).result).toMatchObject({ content: [] });
  await pass(clock, 100);
  await drain.over;
});

describe('a request with a state that is made up, during a drain,', () => {
  /** Nothing is answered, so that a drain would wait for whatever begins. */
  const silent: Script = ({ method }) => (method === 'tools/call' ? undefined : { result: {} });

  it('begins nothing in a session, in which no request continues another one', async () => {
    await using rig = await startTargetRig(silent);
    rig.gateway.config.allow('n.p', 'me', 'tool', 'a:x');
    const client = await rig.open();
    await rig.gateway.downstream.drain(60_000);
    for (const more of [{ requestState: 'made up' }, { inputResponses: {} }]) {
      const { error } = await client.request('tools/call', { name: 'a:x', ...more });
      expect(error?.message).toContain('shutting down');
    }
    expect(rig.target.asked.filter(({ method }) => method === 'tools/call')).toEqual([]);
  });

  it('begins nothing when the state is that of a call that waits in the gateway, or no state at all', async () => {
    await using rig = await startTargetRig(silent);
    const { gateway, target } = rig;
    gateway.config.allow('n.p', 'me', 'tool', 'a:x');
    await gateway.downstream.drain(60_000);
    const call = (more: Json): Promise<Response> =>
      ask(gateway, { token: gateway.token('me'), method: 'tools/call', params: { name: 'a:x', ...more } });
    expect((await json(call({ requestState: 'gatehouse-call-0' }))).error).toMatchObject({ code: -32602 });
    expect((await call({ requestState: 1, inputResponses: 'x' })).status).toBe(503);
    expect(target.asked.filter(({ method }) => method === 'tools/call')).toEqual([]);
  });

  it('may begin work at a target that has states of its own, which ends with the time of the drain', async () => {
    const clock = createManualClock();
    await using rig = await startTargetRig(silent, { clock, stateless: true });
    const { gateway, target } = rig;
    gateway.config.allow('n.p', 'me', 'tool', 'a:x');
    const call = (more: Json): Promise<Response> =>
      ask(gateway, { token: gateway.token('me'), method: 'tools/call', params: { name: 'a:x', ...more } });
    // After a second, the response is an event stream.
    const answered = async (more: Json): Promise<string> => (await call(more)).text();
    const first = answered({});
    await target.arrival('tools/call');
    const drain = begin(rig, 9_000);
    const begun = Array.from({ length: 20 }, (_, index) => answered({ requestState: `made up ${index}` }));
    await target.arrival('tools/call', 21);
    await pass(clock, 9_000);
    await drain.over;
    for (const answer of await Promise.all([first, ...begun])) expect(answer).toContain('shutting down');
  });
});

describe('a call of MCP 2026-07-28, during a drain,', () => {
  const offers = { [key('clientCapabilities')]: { roots: {} } };

  it('is cancelled when its client closes the response, which ends the drain', async () => {
    await using rig = await startTargetRig(({ method }) => (method === 'tools/call' ? undefined : { result: {} }));
    const { gateway, target } = rig;
    gateway.config.allow('n.p', 'me', 'tool', 'a:x');
    const left = new AbortController();
    const { signal } = left;
    const calling = ask(gateway, { token: gateway.token('me'), method: 'tools/call', params: { name: 'a:x' }, signal });
    await target.arrival('tools/call');
    const drained = gateway.downstream.drain(600_000);
    left.abort();
    await expect(calling).rejects.toThrow();
    await drained;
    await target.arrival('notifications/cancelled');
  });

  it('that has asked for input is waited for until the drain has to end: nothing says whether its client has gone', async () => {
    const clock = createManualClock();
    await using rig = await startTargetRig(
      async ({ method }, say) => {
        if (method !== 'tools/call') return { result: {} };
        say('roots/list', {}, 'of the target');
        return undefined;
      },
      { clock },
    );
    const { gateway, target } = rig;
    gateway.config.allow('n.p', 'me', 'tool', 'a:x');
    const call = { token: gateway.token('me'), method: 'tools/call', params: { name: 'a:x' }, meta: offers };
    expect(await json(ask(gateway, call))).toMatchObject({ result: { resultType: 'input_required' } });
    const drain = begin(rig, 9_000);
    await pass(clock, 8_900);
    expect(drain.isOver).toBe(false);
    await pass(clock, 100);
    await drain.over;
    await target.arrival('notifications/cancelled');
  });
});
