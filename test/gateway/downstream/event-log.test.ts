import { describe, expect, it } from 'vitest';
import { createEventLog, createEventLogBudget, type EventSink } from '../../../src/gateway/downstream/event-log.ts';
import type { Caller } from '../../../src/gateway/model.ts';
import type { Message } from '../../../src/gateway/rpc/model.ts';
import { startTargetRig, type TargetRig } from '../../support/gateway/target-rig.ts';
import { linesOf, openRawClient, post, readEvents } from '../../support/nodes/raw-client.ts';

type Json = Readonly<Record<string, unknown>>;

/** A target whose calls are answered when the test says so, after a notification of progress. */
async function startWaiting(): Promise<{ readonly rig: TargetRig; readonly go: () => void }> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const rig = await startTargetRig(async ({ method, params }, say) => {
    if (method !== 'tools/call') return { result: {} };
    say('notifications/progress', { progressToken: Object(params['_meta']).progressToken, progress: 1 });
    await promise;
    return { result: { content: [], of: params['name'] } };
  });
  rig.gateway.config.allow('n.p', 'me', 'tool', 'a:x');
  return { rig, go: resolve };
}

const call: Json = {
  jsonrpc: '2.0',
  id: 7,
  method: 'tools/call',
  params: { name: 'a:x', _meta: { progressToken: 'p' } },
};
const progress = { jsonrpc: '2.0', method: 'notifications/progress', params: { progressToken: 'p', progress: 1 } };
const answer = { jsonrpc: '2.0', id: 7, result: { content: [], of: 'x' } };

/** Posts a call, and disconnects after its first message. */
async function callAndLeave({ gateway }: TargetRig, token: string, sessionId: string): Promise<string> {
  const abort = new AbortController();
  const response = await fetch(`${gateway.url}/mcp`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${token}`,
      accept: 'application/json, text/event-stream',
      'content-type': 'application/json',
      'mcp-session-id': sessionId,
    },
    body: JSON.stringify(call),
    signal: abort.signal,
  });
  const events = readEvents(response);
  expect(await events.next()).toEqual(progress);
  const id = events.lastId();
  abort.abort();
  return id;
}

describe('the stream of a response', () => {
  it('begins with an event that has an id, a delay and no data, which older clients do not get', async () => {
    const { rig, go } = await startWaiting();
    await using _ = rig;
    go();
    const token = rig.gateway.token('me');
    for (const [version, first] of [
      ['2025-11-25', /^id: [0-9a-f]{8}-\d+-0$/],
      ['2025-06-18', /^event: message$/],
    ] as const) {
      const { sessionId } = await openRawClient(rig.gateway, token, version);
      const lines = linesOf(await post(rig.gateway, token, sessionId, call));
      expect((await lines.next()).value).toMatch(first);
      if (version === '2025-11-25')
        expect([(await lines.next()).value, (await lines.next()).value]).toEqual(['retry: 1000', 'data:']);
    }
  });

  it('is continued after an event, with what was sent meanwhile and what follows', async () => {
    const { rig, go } = await startWaiting();
    await using _ = rig;
    const token = rig.gateway.token('me');
    const client = await openRawClient(rig.gateway, token);
    const last = await callAndLeave(rig, token, client.sessionId);
    const again = await client.listen(token, last.replace(/\d+$/, '0'));
    expect(await again.next()).toEqual(progress);
    go();
    expect(await again.next()).toEqual(answer);
    expect(await again.next(), 'the stream ends with its response').toBeUndefined();
    const once = await client.listen(token, last);
    expect([await once.next(), await once.next()]).toEqual([answer, undefined]);
  });

  it('is closed when the target closes its own, and continued with the answer that the target gives later', async () => {
    let polls = 0;
    await using rig = await startTargetRig(
      ({ method }) =>
        method === 'tools/call'
          ? { raw: 'text/event-stream', chunks: ['id: 1\nretry: 10\ndata:\n\n'] }
          : { result: {} },
      {
        get(_, response) {
          polls += 1;
          const id = rig.target.received.find(({ method }) => method === 'tools/call')?.id;
          response.writeHead(200, { 'content-type': 'text/event-stream' });
          response.end(
            id === undefined
              ? ''
              : `data: ${JSON.stringify({ jsonrpc: '2.0', id, result: { content: [], of: 'x' } })}\n\n`,
          );
        },
      },
    );
    rig.gateway.config.allow('n.p', 'me', 'tool', 'a:x');
    const token = rig.gateway.token('me');
    const client = await openRawClient(rig.gateway, token);
    const events = readEvents(await post(rig.gateway, token, client.sessionId, call));
    expect(await events.next()).toBeUndefined();
    const again = await client.listen(token, events.lastId());
    expect(await again.next()).toEqual(answer);
    expect(polls).toBeGreaterThan(0);
  });
});

describe('the stream of a response, continued by somebody else,', () => {
  it.each([
    ['of another token that may not use the tool', 'other', 'The response is not for this token'],
    ['of the same token after the rule is gone', 'me', 'The response is not for this token'],
  ])('is not told to a reader %s: an error takes the place of the response', async (_, sub, message) => {
    const { rig, go } = await startWaiting();
    await using __ = rig;
    const token = rig.gateway.token('me');
    const client = await openRawClient(rig.gateway, token);
    const last = await callAndLeave(rig, token, client.sessionId);
    if (sub === 'me') rig.gateway.config.removeConfig('n.p');
    const again = await client.listen(rig.gateway.token('me', undefined, sub), last.replace(/\d+$/, '0'));
    go();
    expect(await again.next()).toEqual({ jsonrpc: '2.0', id: 7, error: { code: -32000, message } });
  });

  it.each(['x', '', '0-0-0', 'ffffffff-0-1', '99999999999999999999-1-1'])(
    'is not found by %j, an id that no event of this session has',
    async (id) => {
      const { rig } = await startWaiting();
      await using _ = rig;
      const client = await rig.open();
      await expect(client.listen(undefined, id)).rejects.toThrow('400');
    },
  );

  it('is not found by the id of an event of another session of the same caller, nor by that of another caller', async () => {
    const { rig } = await startWaiting();
    await using _ = rig;
    const token = rig.gateway.token('me');
    const [one, other] = [await openRawClient(rig.gateway, token), await openRawClient(rig.gateway, token)];
    const last = await callAndLeave(rig, token, one.sessionId);
    await expect(other.listen(token, last)).rejects.toThrow('400');
    const stranger = await rig.open('stranger');
    await expect(stranger.listen(undefined, last)).rejects.toThrow('400');
    await expect(one.listen(rig.gateway.token('stranger'), last)).rejects.toThrow('404');
  });
});

describe('the stream of a session', () => {
  it('has what was sent while none was open, decided for the one who opens it', async () => {
    const { rig } = await startWaiting();
    await using _ = rig;
    const client = await rig.open();
    rig.gateway.config.allow('n.q', 'me', 'tool', 'a:y');
    rig.gateway.config.putTarget({ ...rig.target.target('a'), path: '/other' });
    const listening = await client.listen();
    expect(await listening.next()).toMatchObject({ method: 'notifications/tools/list_changed' });
  });
});

const reader: Caller = { kind: 'anonymous', reason: 'no authn configured' };
const yes = (): boolean => true;
const note = (text: string): Message => ({ jsonrpc: '2.0', method: 'notifications/x', params: { text } });
const result = (id: number, text = ''): Message => ({ jsonrpc: '2.0', id, result: { text } });

function createSink(): EventSink & { readonly written: string[]; ended: boolean } {
  const written: string[] = [];
  return {
    written,
    ended: false,
    reader,
    write: (events) => void written.push((events.join('').split('data: ')[1] ?? '').trim()),
    end() {
      this.ended = true;
    },
  };
}

it('a response is decided anew for one who continues its stream, although the token is that of the call', () => {
  const log = createEventLog(createEventLogBudget(), 's', 'me');
  const [stream, original, again] = [log.open(), createSink(), createSink()];
  stream.attach(original);
  stream.attach(again, 0);
  stream.send(result(1, 'secret'), () => false);
  expect(original.written).toEqual([]);
  expect(again.written).toEqual([
    '{"jsonrpc":"2.0","id":1,"error":{"code":-32000,"message":"The response is not for this token"}}',
  ]);
});

describe('what a session keeps', () => {
  it('is 64 events: the oldest are dropped, and ended streams before those that go on', () => {
    const log = createEventLog(createEventLogBudget(), 's', 'me');
    const first = log.open();
    first.send(result(1), yes);
    first.end();
    for (let index = 0; index < 70; index += 1) log.own.send(note(String(index)), yes);
    expect(log.find('s-1-0'), 'the ended stream').toBeUndefined();
    const sink = createSink();
    log.own.attach(sink);
    expect(sink.written).toHaveLength(64);
    expect(sink.written[0]).toBe(JSON.stringify(note('6')));
  });

  it('is 256 KiB: of a response that is larger, an error is left', () => {
    const log = createEventLog(createEventLogBudget(), 's', 'me');
    const stream = log.open();
    stream.send(result(1, 'x'.repeat(300_000)), yes);
    const sink = createSink();
    stream.attach(sink);
    expect(sink.written).toEqual([
      '{"jsonrpc":"2.0","id":1,"error":{"code":-32000,"message":"The response was too large to be kept: a session keeps 262144 bytes in 64 events"}}',
    ]);
    stream.end();
    expect(log.find('s-1-0'), 'a stream of which nothing is kept').toBeUndefined();
  });

  it('makes room for others: the streams that ended first are dropped when all sessions keep too much', () => {
    const budget = createEventLogBudget();
    const text = 'x'.repeat(60_000);
    const logs = Array.from({ length: 400 }, (_, index) => createEventLog(budget, 's', `caller ${index % 10}`));
    for (const log of logs) {
      const stream = log.open();
      stream.send(result(1, text), yes);
      stream.end();
    }
    expect(budget.bytes.total).toBeLessThanOrEqual(32 * 1024 * 1024);
    expect(logs[0]?.find('s-1-0')).toBeUndefined();
    expect(logs.at(-1)?.find('s-1-0')).toBeDefined();
    for (const log of logs) log.close();
    expect(budget.bytes.total).toBe(0);
    expect(budget.ended.size).toBe(0);
  });

  it('is nothing after the end of the session, and a reader is ended then', () => {
    const budget = createEventLogBudget();
    const log = createEventLog(budget, 's', 'me');
    const sink = createSink();
    log.own.attach(sink);
    log.close();
    log.own.send(note('late'), yes);
    expect([sink.ended, sink.written, budget.bytes.total]).toEqual([true, [], 0]);
  });
});

it('what sessions keep leaves something for another caller, however many streams go on, and however many end', () => {
  const budget = createEventLogBudget();
  const small = createEventLog(budget, 's', 'small');
  const stream = small.open();
  stream.send(result(1), yes);
  stream.end();
  for (const fleet of ['fleet 1', 'fleet 2', 'fleet 3']) {
    for (let index = 0; index < 200; index += 1) {
      const log = createEventLog(budget, `f${index}`, fleet);
      log.own.send(note('x'.repeat(60_000)), yes);
      const other = log.open();
      other.send(result(1, 'x'.repeat(60_000)), yes);
      other.end();
    }
  }
  expect(small.find('s-1-0'), 'the stream of a caller who holds little').toBeDefined();
  const late = createEventLog(budget, 'l', 'late');
  late.own.send(note('y'.repeat(60_000)), yes);
  const sink = createSink();
  late.own.attach(sink);
  expect(sink.written).toHaveLength(1);
});
