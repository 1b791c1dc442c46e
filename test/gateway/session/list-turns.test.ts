import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { createListTurns } from '../../../src/gateway/session/lists/list-turns.ts';
import { createManualClock } from '../../support/edges/manual-clock.ts';
import { startGateway } from '../../support/gateway/gateway-rig.ts';
import { type Script, startRawTarget } from '../../support/gateway/raw-target.ts';
import { startTargetRig } from '../../support/gateway/target-rig.ts';
import { startTextTarget } from '../../support/gateway/text-target.ts';
import { openRawClient } from '../../support/nodes/raw-client.ts';

describe('lists that wait for the same answer of a target', () => {
  it('are made in turns, so that a caller who asks for one does not wait for the hundred of another', async () => {
    const go = Promise.withResolvers<void>();
    const tools = Array.from({ length: 200 }, (_, index) => ({ name: `t${index}` }));
    // A clock that stands: on a slow machine all would have waited for longer than a target has for its list.
    const script = async () => {
      await go.promise;
      return { result: { tools } };
    };
    await using rig = await startTargetRig(script, { clock: createManualClock() });
    const flood = await rig.open('flood');
    const other = await rig.open('other');
    let answered = 0;
    const flooding = Array.from({ length: 100 }, () => flood.request('tools/list').then(() => (answered += 1)));
    await rig.target.arrival('tools/list');
    // Every request of the flood has arrived when a later one was answered.
    await flood.request('ping');
    const before = other.request('tools/list').then(() => answered);
    await other.request('ping');
    go.resolve();
    expect(await before).toBeLessThan(50);
    await Promise.all(flooding);
    expect(answered).toBe(100);
  });
});

describe('the parameters of a list', () => {
  it('are refused when they are large, since they go to every target', async () => {
    await using rig = await startTargetRig(() => ({ result: { tools: [] } }));
    rig.gateway.config.allowAll('n.p', 'me');
    const client = await rig.open();
    const large = await client.request('tools/list', { _meta: { trace: 'x'.repeat(20_000) } });
    expect(large.error).toMatchObject({ code: -32602, message: expect.stringContaining('go to every target') });
    expect(rig.target.received.filter(({ method }) => method === 'tools/list')).toEqual([]);
    expect((await client.request('tools/list', { _meta: { trace: 'x'.repeat(1_000) } })).result).toEqual({ tools: [] });
    expect(rig.target.received.at(-1)?.params['_meta']).toEqual({ trace: 'x'.repeat(1_000) });
  });
});

it('a target that refuses the parameters of one client is asked without them, and does not fail for anybody', async () => {
  await using rig = await startTargetRig(({ params }) =>
    params['_meta'] === undefined
      ? { result: { tools: [{ name: 'x' }] } }
      : { error: { code: -32602, message: 'Invalid params' } },
  );
  rig.gateway.config.allowAll('n.p', 'me');
  const client = await rig.open();
  for (let times = 0; times < 3; times += 1) {
    const { result } = await client.request('tools/list', { _meta: { made: 'up' } });
    expect(result).toEqual({ tools: [{ name: 'a:x' }] });
    expect(rig.gateway.downstream.targetState('a')).toMatchObject({ state: 'answers', lists: [] });
  }
  expect(rig.gateway.log.lines.filter(({ level }) => level === 'warn')).toEqual([]);
});

/** Answers with a list of one tool, in pieces. */
function listing(length: number): Script {
  const text = JSON.stringify({ tools: [{ name: 'x', description: 'x'.repeat(length) }] });
  return ({ id }) => ({ raw: 'application/json', chunks: [`{"jsonrpc":"2.0","id":${id},"result":${text}}`] });
}

function namesIn(tools: unknown): readonly unknown[] {
  return Array.isArray(tools) ? tools.map(({ name }) => name) : [];
}

describe('lists that are larger together than one answer', () => {
  it('are merged but for the largest, whose targets are named in the log', async () => {
    // A clock that stands: 17 MB may take longer than a target has for its list.
    await using rig = await startTargetRig(listing(8_200_000), { clock: createManualClock() });
    rig.gateway.config.putTarget(rig.target.target('d'));
    await using smaller = await startRawTarget(listing(900_000));
    for (const name of ['b', 'c']) rig.gateway.config.putTarget(smaller.target(name));
    rig.gateway.config.allowAll('n.p', 'me');
    const client = await rig.open();
    const { result } = await client.request('tools/list');
    expect(namesIn(result?.['tools'])).toEqual(['b:x', 'c:x']);
    expect(result?.['_meta']).toMatchObject({ 'kgateway.dev/missingTargets': ['a', 'd'] });
    expect(await rig.gateway.log.line('without some targets')).toMatchObject({
      fields: { targets: expect.stringMatching(/^(?:a, d|d, a)$/) },
    });
  });

  it('are made for ten seconds without the targets that had no room, for that caller alone', async () => {
    const clock = createManualClock();
    await using rig = await startTargetRig(listing(8_200_000), { clock });
    rig.gateway.config.putTarget(rig.target.target('d'));
    await using smaller = await startRawTarget(listing(900_000));
    for (const name of ['b', 'c']) rig.gateway.config.putTarget(smaller.target(name));
    for (const who of ['me', 'you']) rig.gateway.config.allowAll(`n.${who}`, who);
    const [client, other] = [await rig.open('me'), await rig.open('you')];
    const asked = () => rig.target.received.filter(({ method }) => method === 'tools/list').length;
    for (let times = 0; times < 3; times += 1) {
      const { result } = await client.request('tools/list');
      expect(result?.['_meta']).toMatchObject({ 'kgateway.dev/missingTargets': ['a', 'd'] });
    }
    expect(asked()).toBe(2);
    await other.request('tools/list');
    expect(asked()).toBe(4);
    clock.advance(10_000);
    await client.request('tools/list');
    expect(asked()).toBe(6);
  });

  it('of sixteen targets are not read to their end, and one line is logged for all lists', async () => {
    await using rig = await startTargetRig(listing(7_000_000), { clock: createManualClock() });
    for (let target = 0; target < 15; target += 1) rig.gateway.config.putTarget(rig.target.target(`b${target}`));
    rig.gateway.config.allowAll('n.p', 'me');
    const client = await rig.open();
    const parse = vi.spyOn(JSON, 'parse');
    onTestFinished(() => void parse.mockRestore());
    for (let lists = 0; lists < 2; lists += 1) {
      expect(namesIn((await client.request('tools/list')).result?.['tools'])).toEqual([]);
    }
    // A few may be complete before they are left out.
    expect(parse.mock.calls.filter(([text]) => text.length > 1_000_000).length).toBeLessThan(16);
    const lines = rig.gateway.log.lines.filter(({ level }) => level === 'warn');
    expect(lines.map(({ message }) => message)).toEqual(['a list is made without some targets']);
  });

  it('wait for one another once they were large, so that each is whole', async () => {
    await using rig = await startTargetRig(listing(5_000_000), { clock: createManualClock() });
    rig.gateway.config.allowAll('n.p', 'me');
    const clients = await Promise.all(Array.from({ length: 6 }, () => rig.open()));
    const list = async (index: number): Promise<readonly unknown[]> =>
      namesIn((await clients[index]?.request('tools/list'))?.result?.['tools']);
    expect(await list(0)).toEqual(['a:x']);
    expect(await Promise.all(clients.map((_, index) => list(index)))).toEqual(clients.map(() => ['a:x']));
  });
});

it('lists that are larger together than one answer say nothing of the health of their targets, whatever the caller may use', async () => {
  await using rig = await startTargetRig(listing(700_000), { clock: createManualClock() });
  const { config, downstream } = rig.gateway;
  for (const name of ['b', 'c']) config.putTarget(rig.target.target(name));
  config.allowAll('n.p', 'me');
  const [client, stranger] = [await rig.open('me'), await rig.open('you')];
  const states = () => ['a', 'b', 'c'].map((name) => downstream.targetState(name));
  expect(namesIn((await client.request('tools/list')).result?.['tools'])).toEqual(['a:x', 'b:x', 'c:x']);
  const before = states().map(({ requests }) => ({ ...requests }));
  expect(namesIn((await stranger.request('tools/list')).result?.['tools'])).toHaveLength(1);
  await rig.gateway.log.line('without some targets');
  const limited = states().map(({ state, lastError, lists, requests }, index) => {
    expect({ state, lastError, lists }).toEqual({ state: 'answers', lastError: null, lists: [] });
    expect(requests.failure).toBe(before[index]?.failure);
    return requests.limit - (before[index]?.limit ?? 0);
  });
  expect(limited.toSorted(), 'the two that were left out are counted').toEqual([0, 1, 1]);
});

describe('large lists of a target that keeps clients waiting', () => {
  /** A target that lists much once, and then nothing before `go`; and one that lists little, to another caller. */
  const start = async () => {
    const clock = createManualClock();
    const go = Promise.withResolvers<void>();
    const all = Promise.withResolvers<void>();
    let asked = 0;
    const large = listing(8_200_000);
    const script: Script = async (...request) => {
      asked += 1;
      if (asked === 1) return large(...request);
      if (asked === 5) all.resolve();
      await go.promise;
      return { result: { tools: [] } };
    };
    const rig = await startTargetRig(script, { list: 'filtered', clock });
    onTestFinished(() => rig[Symbol.asyncDispose]());
    const small = await startRawTarget(listing(10));
    onTestFinished(() => small[Symbol.asyncDispose]());
    rig.gateway.config.putTarget(small.target('b'));
    rig.gateway.config.allow('n.p', 'me', 'tool', 'a:x');
    rig.gateway.config.allow('n.q', 'you', 'tool', 'b:x');
    const [client, other] = [await rig.open('me'), await rig.open('you')];
    for (const { request } of [client, other]) await request('tools/list');
    const waiting = Promise.all(Array.from({ length: 4 }, () => client.request('tools/list')));
    await client.request('ping');
    return { clock, other, waiting, asked: () => asked, allAsked: all.promise, go: go.resolve };
  };

  it('have a list of small ones wait for no room', async () => {
    const { other, waiting, asked, go } = await start();
    expect(namesIn((await other.request('tools/list')).result?.['tools'])).toEqual(['b:x']);
    expect(asked()).toBeLessThan(5);
    go();
    await waiting;
    expect(asked()).toBe(5);
  });

  it('let others begin after a second', async () => {
    const { clock, other, waiting, asked, allAsked, go } = await start();
    await other.request('ping');
    expect(asked()).toBeLessThan(5);
    clock.advance(1_000);
    await allAsked;
    go();
    await waiting;
  });
});

describe('a large list that no session of a client is asked for', () => {
  it('is given to others for five seconds, so that lists that wait do not keep one each', async () => {
    const clock = createManualClock();
    await using rig = await startTargetRig(() => ({ result: { tools: [{ name: 'x', note: 'x'.repeat(300_000) }] } }), {
      clock,
    });
    const client = await rig.open();
    const asked = () => rig.target.received.filter(({ method }) => method === 'tools/list').length;
    for (let times = 0; times < 5; times += 1) await client.request('tools/list');
    expect(asked()).toBe(1);
    // The last turn is over by then: it would seem to take the five seconds, and the next one would rest.
    await client.request('ping');
    clock.advance(5_000);
    await client.request('tools/list');
    expect(asked()).toBe(2);
    rig.gateway.config.putTarget({ ...rig.target.target('a'), path: '/mcp' });
    await client.request('tools/list');
    expect(asked()).toBe(3);
  });
});

describe('large lists over HTTP+SSE', () => {
  it('are counted before they are parsed', async () => {
    const toolsOf = (count: number): string =>
      JSON.stringify({
        tools: Array.from({ length: count }, (_, index) => ({ name: `t${index}`, description: 'x'.repeat(1_000) })),
      });
    await using gateway = await startGateway({ clock: createManualClock() });
    for (const name of ['a', 'b', 'c', 'd', 'e']) {
      const result = toolsOf(name < 'c' ? 900 : 7_000);
      const target = await startTextTarget('http-sse', ({ id }) => [`{"jsonrpc":"2.0","id":${id},"result":${result}}`]);
      onTestFinished(() => target[Symbol.asyncDispose]());
      gateway.config.putTarget(target.target(name));
    }
    gateway.config.allowAll('n.p', 'me');
    const client = await openRawClient(gateway, gateway.token('me'));
    const parse = vi.spyOn(JSON, 'parse');
    onTestFinished(() => void parse.mockRestore());
    const list = await client.request('tools/list');
    expect(namesIn(list.result?.['tools'])).toHaveLength(1_800);
    expect(parse.mock.calls.filter(([text]) => text.length > 7_000_000).length).toBeLessThanOrEqual(1);
  });
});

const never = new AbortController().signal;

it('has 512 requests for lists open at targets, of which those over shared connections count as a sixteenth', async () => {
  const readAtOnce = async (targets: { readonly own: number; readonly shared: number }): Promise<number> => {
    const turns = createListTurns(createManualClock());
    let reading = 0;
    for (let caller = 0; caller < 1_000; caller += 1) {
      void turns.toRead(String(caller), targets, never).then(() => (reading += 1));
    }
    await new Promise((resolve) => setImmediate(resolve));
    return reading;
  };
  expect(await readAtOnce({ own: 32, shared: 0 })).toBe(16);
  expect(await readAtOnce({ own: 0, shared: 32 })).toBe(256);
  expect(await readAtOnce({ own: 1_000, shared: 0 }), 'more than there is room for are read alone').toBe(1);
});
