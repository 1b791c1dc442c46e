import { describe, expect, it } from 'vitest';
import { objectIn } from '../../../src/json/json.ts';
import { createManualClock } from '../../support/edges/manual-clock.ts';
import { type GatewayRig, startGateway } from '../../support/gateway/gateway-rig.ts';
import { type Script, startRawTarget } from '../../support/gateway/raw-target.ts';
import { openRawClient } from '../../support/nodes/raw-client.ts';

const mebibyte = 1024 * 1024;

/** The beginning of an answer, and then 64 MiB; how many chunks of 64 KiB were sent is counted. */
function answering(type: string, head: string, unit: string): { script: Script; taken: { chunks: number } } {
  const chunk = unit.repeat(mebibyte / 16 / unit.length);
  const taken = { chunks: 0 };
  function* chunks(id: unknown): Generator<string> {
    yield head.replace('ID', String(id));
    for (let sent = 0; sent < 64 * 16; sent += 1) {
      taken.chunks += 1;
      yield chunk;
    }
  }
  return { script: ({ id }) => ({ raw: type, chunks: chunks(id) }), taken };
}

function warnings({ log }: GatewayRig): readonly unknown[] {
  return log.lines.filter(({ level }) => level === 'warn').map(({ fields }) => fields['target']);
}

const json = '{"jsonrpc":"2.0","id":ID,"result":{"tools":[';

describe('a target', () => {
  it.each([
    ['many small objects', 'application/json', json, '{},'],
    ['many small objects in an event', 'text/event-stream', `data: ${json}`, '{},'],
    ['endless text', 'application/json', `${json}"`, 'x'],
    ['many lines', 'text/event-stream', '', 'x\n'],
    ['many empty lines', 'text/event-stream', '\r', '\n'],
    ['many comments', 'text/event-stream', '', ': ping\n'],
    ['many events that are no messages', 'text/event-stream', '', 'data: {}\n\n'],
    ['batches of no messages', 'text/event-stream', '', `data: [${'{},'.repeat(1_000)}{}]\n\n`],
    ['many pings', 'text/event-stream', '', 'data: {"jsonrpc":"2.0","id":"x","method":"ping"}\n\n'],
  ])('that answers a list with %s is read up to a limit, left out, and logged once', async (what, type, head, unit) => {
    const { script, taken } = answering(type, head, unit);
    await using hostile = await startRawTarget(script);
    await using good = await startRawTarget(() => ({ result: { tools: [{ name: 'x' }] } }));
    await using gateway = await startGateway({ clock: createManualClock() });
    gateway.config.putTarget(hostile.target('hostile'));
    gateway.config.putTarget(good.target('good'));
    gateway.config.allow('n.p', 'me', 'tool', '*');
    const client = await openRawClient(gateway, gateway.token('me'));
    for (let lists = 0; lists < 3; lists += 1) {
      expect((await client.request('tools/list')).result).toEqual({
        tools: [{ name: 'good:x' }],
        _meta: {
          'kgateway.dev/missingTargets': ['hostile'],
          'kgateway.dev/missingTargetStates': { hostile: { state: 'fails', since: expect.any(String) } },
        },
      });
    }
    // One more line for a batch that is too large, beside the list that fails because of it.
    expect(warnings(gateway).slice(what.startsWith('batches') ? 1 : 0)).toEqual(['hostile']);
    // Twice the largest message, by the client's list and by the gateway's own attempt, and what the sockets hold.
    expect(taken.chunks).toBeLessThan(2 * 40 * 16);
    expect(hostile.received.filter(({ method }) => method === 'tools/list').length).toBeLessThanOrEqual(2);
  });

  it('that sends many names of members is refused, and a call to it fails with a reason in the log', async () => {
    await using hostile = await startRawTarget(({ id }) => ({
      raw: 'application/json',
      chunks: [
        `{"jsonrpc":"2.0","id":${id},"result":{`,
        ...Array.from({ length: 10_001 }, (_, index) => `"name ${index}":1,`),
        '"last":1}}',
      ],
    }));
    await using gateway = await startGateway();
    gateway.config.putTarget(hostile.target('a'));
    gateway.config.allow('n.p', 'me', 'tool', '*');
    const client = await openRawClient(gateway, gateway.token('me'));
    expect((await client.request('tools/call', { name: 'a:x' })).error?.message).toBe(
      'Target a does not answer: a message has more than 10000 different names of members',
    );
    const line = await gateway.log.line('does not answer');
    expect(line.fields['reason']).toBe('a message has more than 10000 different names of members');
  });
});

describe('a target', () => {
  it('that floods one session is not connected to for a time, which doubles; other sessions go on', async () => {
    const clock = createManualClock();
    let flooding = false;
    await using target = await startRawTarget(
      ({ params }) => (params['name'] === 'wait' ? undefined : { result: {} }),
      {
        get(_, response) {
          response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
          if (flooding) response.write('data: {"jsonrpc":"2.0","method":"notifications/none"}\n\n'.repeat(2_100));
        },
      },
    );
    await using gateway = await startGateway({ clock });
    gateway.config.putTarget(target.target('a'));
    gateway.config.allow('n.p', 'me', 'tool', '*');
    const open = () => openRawClient(gateway, gateway.token('me'));
    const peaceful = await open();
    expect((await peaceful.request('tools/call', { name: 'a:x' })).result).toEqual({});

    flooding = true;
    const flooded = await open();
    for (const delay of [1_500, 3_000, 6_000]) {
      const handshakes = target.received.filter(({ method }) => method === 'initialize').length;
      // The flood arrives beside the answer, which may still be given.
      const outcome = await flooded.request('tools/call', { name: 'a:wait' });
      expect(outcome.error?.message).toMatch(
        /^Target a does not answer: the target sends more .* than 200 small messages/,
      );
      const again = await flooded.request('tools/call', { name: 'a:x' });
      expect(again.error?.message).toBe(outcome.error?.message);
      expect(target.received.filter(({ method }) => method === 'initialize')).toHaveLength(handshakes + 1);
      expect((await peaceful.request('tools/call', { name: 'a:x' })).result).toEqual({});
      clock.advance(delay);
    }
    flooding = false;
    expect((await flooded.request('tools/call', { name: 'a:x' })).result).toEqual({});
    // Once for each flood, since other sessions are answered in between.
    expect(warnings(gateway)).toEqual(['a', 'a', 'a']);
  });

  it('may send two thousand notifications at once', async () => {
    const message = { level: 'info', data: 'x' };
    await using target = await startRawTarget((_, say) => {
      for (let sent = 0; sent < 1_950; sent += 1) say('notifications/message', message);
      return { result: {} };
    });
    await using gateway = await startGateway({ clock: createManualClock() });
    gateway.config.putTarget(target.target('a'));
    gateway.config.allow('n.p', 'me', 'tool', '*');
    const client = await openRawClient(gateway, gateway.token('me'));
    const { before } = await client.request('tools/call', { name: 'a:x' });
    expect(before).toHaveLength(1_950);
  });
});

it('what a target has answered another caller is no answer', async () => {
  let first: unknown;
  await using target = await startRawTarget(({ id, method }) => {
    if (method !== 'tools/call') return { result: {} };
    first ??= id;
    return {
      raw: 'application/json',
      chunks: [JSON.stringify({ jsonrpc: '2.0', id: first, result: { content: [{ type: 'text', text: 'for one' }] } })],
    };
  });
  let draws = 0;
  const random = (): number => {
    draws += 1;
    return draws / 100;
  };
  await using gateway = await startGateway({ random });
  gateway.config.putTarget(target.target('a'));
  gateway.config.allow('n.p', 'one', 'tool', '*');
  gateway.config.allow('n.q', 'other', 'tool', '*');
  const one = await openRawClient(gateway, gateway.token('one'));
  const other = await openRawClient(gateway, gateway.token('other'));
  expect(JSON.stringify(await one.request('tools/call', { name: 'a:x' }))).toContain('for one');
  expect((await other.request('tools/call', { name: 'a:x' })).error?.message).toBe('Target a does not answer');
  const line = await gateway.log.line('does not answer');
  expect(line.fields['reason']).toBe('the answer names another request: its id is not that of this one');
});

describe('a target whose tool reports progress without end', () => {
  it('is read slowly, and answers that caller and all others', async () => {
    const clock = createManualClock();
    await using target = await startRawTarget(({ params }, say) => {
      const { progressToken } = objectIn(params, '_meta');
      for (let progress = 0; progressToken !== undefined && progress < 2_300; progress += 1) {
        say('notifications/progress', { progressToken, progress });
      }
      return { result: {} };
    });
    await using gateway = await startGateway({ clock });
    gateway.config.putTarget(target.target('a'));
    gateway.config.allow('n.p', 'me', 'tool', '*');
    gateway.config.allow('n.p', 'you', 'tool', '*');
    const client = await openRawClient(gateway, gateway.token('me'));
    const busy = client.request('tools/call', { name: 'a:x', _meta: { progressToken: 'p' } });
    await target.arrival('tools/call');
    const other = await openRawClient(gateway, gateway.token('you'));
    expect((await other.request('tools/call', { name: 'a:y' })).result).toEqual({});
    let answered = false;
    const reply = busy.finally(() => {
      answered = true;
    });
    while (!answered) {
      clock.advance(100);
      await new Promise(setImmediate);
    }
    expect((await reply).result).toEqual({});
    expect((await reply).before).toHaveLength(2_300);
    expect((await other.request('tools/call', { name: 'a:y' })).result).toEqual({});
    expect(gateway.log.lines.filter(({ message }) => message === 'target does not answer')).toEqual([]);
  });
});

it('a stream of log messages without end delays no answer of its target, and is told of once', async () => {
  const line = '{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":"x"}}';
  await using target = await startRawTarget(() => ({ result: { tools: [{ name: 'x' }] } }), {
    get(_, response) {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
      response.write(`data: ${line}\n\n`.repeat(5_000));
    },
  });
  // With a clock that stands still, what is read too fast waits for ever.
  await using gateway = await startGateway({ clock: createManualClock() });
  gateway.config.putTarget(target.target('a'));
  gateway.config.allow('n.p', 'me', 'tool', '*');
  const client = await openRawClient(gateway, gateway.token('me'));
  expect((await client.request('tools/list')).result).toEqual({ tools: [{ name: 'a:x' }] });
  await gateway.log.line('read slowly');
  for (let lists = 0; lists < 3; lists += 1) {
    expect((await client.request('tools/list')).result).toEqual({ tools: [{ name: 'a:x' }] });
  }
  expect(gateway.counters.total('gatehouse_gateway_notifications_delayed_total')).toBeGreaterThan(0);
  expect(warnings(gateway)).toEqual(['a']);
});
