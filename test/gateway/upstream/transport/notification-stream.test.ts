import { describe, expect, it } from 'vitest';
import type { TargetFetch } from '../../../../src/gateway/model.ts';
import { createAnswerBudget } from '../../../../src/gateway/upstream/answer-limits.ts';
import { createTransport } from '../../../../src/gateway/upstream/transport/transport.ts';
import { FairTurns } from '../../../../src/rate/fair-turns.ts';
import { createManualClock } from '../../../support/edges/manual-clock.ts';
import { noCircuit } from '../../../support/gateway/no-circuit.ts';
import { connectTransport as connect, initialized } from '../../../support/gateway/transport-rig.ts';

describe('the stream of notifications', () => {
  const rests = [1_000, 2_000, 4_000, 8_000, 60_000, 60_000, 60_000];

  it.each([
    ['an empty stream', 200, 'text/event-stream', rests],
    ['another type', 200, 'text/plain', rests],
    [
      'an error, as while the target restarts,',
      503,
      'text/plain',
      [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000],
    ],
  ])('that brings %s is opened less and less often', async (_, status, type, expected) => {
    await using rig = await connect(({ method }, answer) => {
      if (method === 'GET') answer.writeHead(status, { 'content-type': type }).end();
      else answer.writeHead(202).end();
    });
    await rig.transport.send(initialized);
    const delays: number[] = [];
    for (let stream = 0; stream < expected.length; stream += 1) {
      await rig.clock.armed();
      delays.push(rig.clock.next());
    }
    expect(delays).toEqual(expected);
    expect(rig.failures).toHaveLength(1);
  });

  it.each([
    [404, ['the target no longer knows this session']],
    [405, []],
    [401, []],
  ])('is resumed after its last event; status %i then says whether the session is lost', async (status, failures) => {
    let streams = 0;
    await using rig = await connect(({ method }, answer) => {
      if (method === 'POST') return answer.writeHead(202).end();
      streams += 1;
      if (streams > 1) return answer.writeHead(status).end();
      return answer.writeHead(200, { 'content-type': 'text/event-stream' }).end('id: 5\ndata:\n\n');
    });
    await rig.transport.send(initialized);
    await rig.clock.armed();
    rig.clock.next();
    await expect.poll(() => rig.requests).toEqual(['POST /mcp', 'GET /mcp', 'GET /mcp 5']);
    await expect.poll(() => rig.failures).toEqual(failures);
    expect(rig.clock.waiting()).toEqual([]);
  });
});

describe('the stream of notifications', () => {
  it.each([
    [200, []],
    [400, ['the target no longer knows this session']],
  ])(
    'begins anew when the target refuses its last event with 400; only when that has status %i the session is lost',
    async (status, failures) => {
      let streams = 0;
      await using rig = await connect(({ method, headers }, answer) => {
        if (method === 'POST') return answer.writeHead(202).end();
        if (headers['last-event-id'] !== undefined) return answer.writeHead(400).end();
        streams += 1;
        if (streams > 1 && status === 400) return answer.writeHead(400).end();
        answer.writeHead(200, { 'content-type': 'text/event-stream' });
        return streams > 1 ? answer.flushHeaders() : answer.end('id: 5\ndata:\n\n');
      });
      await rig.transport.send(initialized);
      for (const delay of [1_000, 2_000]) {
        await rig.clock.armed();
        expect(rig.clock.next()).toBe(delay);
      }
      await expect.poll(() => rig.requests).toEqual(['POST /mcp', 'GET /mcp', 'GET /mcp 5', 'GET /mcp']);
      await expect.poll(() => rig.failures).toEqual(failures);
    },
  );

  it('is opened soon when the circuit of the target closes, however long it had to wait', async () => {
    const waiting = new Set<() => void>();
    await using rig = await connect(
      ({ method }, answer) => answer.writeHead(method === 'GET' ? 503 : 202).end(),
      'streamable-http',
      {
        ...noCircuit,
        whenClosed(closed) {
          waiting.add(closed);
          return () => waiting.delete(closed);
        },
      },
    );
    await rig.transport.send(initialized);
    for (let stream = 1; stream <= 6; stream += 1) {
      await rig.clock.armed();
      if (stream < 6) rig.clock.next();
    }
    expect([rig.clock.waiting(), waiting.size]).toEqual([[30_000], 1]);
    for (const closed of waiting) closed();
    await expect.poll(() => rig.clock.waiting()).toEqual([1_000]);
    rig.clock.next();
    await expect.poll(() => rig.requests.length).toBe(8);
  });

  it('that brings a message is opened again after a second', async () => {
    const notification = 'data: {"jsonrpc":"2.0","method":"notifications/tools/list_changed"}\n\n';
    await using rig = await connect(({ method }, answer) => {
      if (method === 'POST') answer.writeHead(202).end();
      else answer.writeHead(200, { 'content-type': 'text/event-stream' }).end(notification);
    });
    await rig.transport.send(initialized);
    for (let stream = 1; stream <= 8; stream += 1) {
      await rig.clock.armed();
      expect(rig.clock.next()).toBe(1_000);
      expect(rig.received).toHaveLength(stream);
    }
    expect(rig.failures).toEqual([]);
  });

  it.each([405, 404, 401])('is not opened again after status %i', async (status) => {
    await using rig = await connect(({ method }, answer) => answer.writeHead(method === 'GET' ? status : 202).end());
    await rig.transport.send(initialized);
    await expect.poll(() => rig.requests).toEqual(['POST /mcp', 'GET /mcp']);
    expect(rig.clock.waiting()).toEqual([]);
  });
});

it('a stream of notifications is asked for again when the target believes the last one to be open: the session goes on', async () => {
  let streams = 0;
  await using rig = await connect(({ method }, answer) => {
    if (method === 'POST') return answer.writeHead(202).end();
    streams += 1;
    if (streams === 2) return answer.writeHead(409).end();
    return answer.writeHead(200, { 'content-type': 'text/event-stream' }).end('id: 5\ndata:\n\n');
  });
  await rig.transport.send(initialized);
  for (const delay of [1_000, 2_000]) {
    await rig.clock.armed();
    expect(rig.clock.next()).toBe(delay);
  }
  await expect.poll(() => rig.requests).toEqual(['POST /mcp', 'GET /mcp', 'GET /mcp 5', 'GET /mcp 5']);
  expect(rig.failures).toEqual([]);
});

/** A target whose stream of notifications ends at once, after a `retry` field. */
function closing(retry: string): TargetFetch {
  return (_, init) => {
    const stream = new Response(`retry: ${retry}\n\n`, { headers: { 'content-type': 'text/event-stream' } });
    return Promise.resolve(init?.method === 'GET' ? stream : new Response(null, { status: 202 }));
  };
}

it.each([
  ['0', 1_000],
  ['5000', 5_000],
  ['99999999999', 30_000],
])('a target that sends "retry: %s" is reconnected to after %i ms, half of which is jitter', async (retry, pause) => {
  const clock = createManualClock();
  const transport = createTransport('streamable-http', {
    url: new URL('http://target/mcp'),
    target: 'a',
    fetch: closing(retry),
    clock,
    random: () => 0,
    budget: createAnswerBudget(new FairTurns()),
    circuit: noCircuit,
    events: {
      received: () => {},
      invalid: () => {},
      ignored: () => {},
      pace: () => undefined,
      lost: () => {},
      streamFailed: () => {},
    },
  });
  await transport.start();
  await transport.send(initialized);
  await clock.armed();
  expect(clock.waiting()).toEqual([pause / 2]);
  transport.close();
  expect(clock.waiting()).toEqual([]);
});
