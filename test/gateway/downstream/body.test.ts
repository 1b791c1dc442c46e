import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { createBodyReader } from '../../../src/gateway/downstream/body.ts';
import { FairTurns } from '../../../src/rate/fair-turns.ts';
import { createManualClock } from '../../support/edges/manual-clock.ts';
import { createRecordedGatewayCounters } from '../../support/edges/recorded-gateway-counters.ts';
import { createRecordedLog } from '../../support/edges/recorded-log.ts';
import { type GatewayRig, portOf, startGateway } from '../../support/gateway/gateway-rig.ts';
import { startTargetRig } from '../../support/gateway/target-rig.ts';
import { openRawClient, post } from '../../support/nodes/raw-client.ts';

const mebibyte = 1024 * 1024;
const patience = { timeout: 30_000 };

/** The head of a POST to a session, with the given framing of its body. */
function headOf(token: string, sessionId: string, framing: string): string {
  const lines = [
    'POST /mcp HTTP/1.1',
    'Host: localhost',
    `Authorization: Bearer ${token}`,
    'Accept: application/json, text/event-stream',
    'Content-Type: application/json',
    `Mcp-Session-Id: ${sessionId}`,
    framing,
  ];
  return `${lines.join('\r\n')}\r\n\r\n`;
}

function connectTo(gateway: GatewayRig) {
  return connect(Number(new URL(gateway.url).port), '127.0.0.1');
}

/** A ping whose parameters are this JSON. */
const ping = (id: number, x: string): string => `{"jsonrpc":"2.0","id":${id},"method":"ping","params":{"x":${x}}}`;

describe('the structure of a body', () => {
  it('is bounded before it is parsed: a text that would be no JSON is refused for its values', async () => {
    await using gateway = await startGateway();
    const token = gateway.token('me');
    const { sessionId } = await openRawClient(gateway, token);
    for (const body of [
      ping(1, `[${'{},'.repeat(30_000)}`),
      ping(1, `[${'0,'.repeat(60_000)}0]`),
      `{${'"k":0,'.repeat(30_000)}`,
    ]) {
      const response = await post(gateway, token, sessionId, body);
      expect([response.status, await response.text()]).toEqual([413, expect.stringContaining('50000 JSON values')]);
    }
    expect((await post(gateway, token, sessionId, ping(1, `[${'0,'.repeat(40_000)}0]`))).status).toBe(200);
    const lines = gateway.log.lines.filter(({ message }) => message.includes('a request body was refused'));
    expect(lines).toHaveLength(1);
  });

  it('may be that of one long text of 1 MiB, sent byte by byte in chunks', async () => {
    await using gateway = await startGateway();
    const token = gateway.token('me');
    const { sessionId } = await openRawClient(gateway, token);
    const socket = connectTo(gateway);
    socket.write(headOf(token, sessionId, 'Transfer-Encoding: chunked\r\nConnection: close'));
    const body = ping(1, `"${'x'.repeat(100_000)}"`);
    socket.write(`${[...body].map((character) => `1\r\n${character}\r\n`).join('')}0\r\n\r\n`);
    expect(await text(socket)).toContain('"result":{}');
    expect((await post(gateway, token, sessionId, ping(2, `"${'x'.repeat(mebibyte - 100)}"`))).status).toBe(200);
    expect((await post(gateway, token, sessionId, ping(3, `"${'x'.repeat(mebibyte)}"`))).status).toBe(413);
  });
});

it('a token that expires while the body arrives is refused, before the message reaches anything', async () => {
  const clock = createManualClock();
  await using rig = await startTargetRig(() => ({ result: {} }), { clock });
  const { gateway, target } = rig;
  gateway.config.allow('n.p', 'me', 'tool', '*');
  const token = gateway.token('me', clock.now() + 60_000);
  const { sessionId } = await openRawClient(gateway, token);
  const stream = await fetch(`${gateway.url}/sse`, { headers: { authorization: `Bearer ${token}` } });
  const reader = stream.body?.getReader();
  const query = /\?sessionId=[0-9a-f]{32}/.exec(new TextDecoder().decode((await reader?.read())?.value))?.[0] ?? '';
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'a:x' } });

  const sockets = ['/mcp', `/sse${query}`].map((path) => {
    const socket = connectTo(gateway);
    const more = `Content-Length: ${body.length}\r\nExpect: 100-continue\r\nConnection: close`;
    socket.write(headOf(token, sessionId, more).replace('/mcp', path));
    return socket;
  });
  // What is written back when a head was read, and its token accepted.
  for (const socket of sockets) expect(String(await once(socket, 'data'))).toMatch(/^HTTP\/1.1 100 /);
  clock.advance(60_000);
  for (const socket of sockets) {
    socket.write(body);
    const answer = await text(socket);
    expect(answer).toMatch(/^HTTP\/1.1 401 /);
    // Clients get another token where this says (RFC 9728, section 5.1).
    expect(answer).toContain('resource_metadata="https://mcp.example/metadata"');
  }
  expect(target.asked).toEqual([]);
  await reader?.cancel();
});

/** Sends the first megabyte of a body in chunks, and never its end. */
function sendHalf(gateway: GatewayRig, token: string, sessionId: string) {
  const socket = connectTo(gateway);
  // The gateway ends its connections when the test is over.
  socket.on('error', () => {});
  socket.write(headOf(token, sessionId, 'Transfer-Encoding: chunked'));
  const part = 'x'.repeat(1_000_000);
  socket.write(`${part.length.toString(16)}\r\n${part}\r\n`);
  return socket;
}

it('bodies of four callers who hold their share leave room for those of a fifth', async () => {
  await using gateway = await startGateway();
  const answers: string[] = [];
  for (const name of ['a', 'b', 'c', 'd']) {
    const token = gateway.token(name);
    const { sessionId } = await openRawClient(gateway, token);
    for (let index = 0; index < 24; index += 1) {
      const socket = sendHalf(gateway, token, sessionId).on('data', (data) => answers.push(String(data)));
      onTestFinished(() => void socket.destroy());
    }
  }
  // What is not refused is held: 92 MiB have room for 96 such halves, and 19 to 22 of them are left.
  await expect.poll(() => answers.length, patience).toBeGreaterThanOrEqual(19);
  const other = await openRawClient(gateway, gateway.token('other'));
  const large = ping(1, `"${'x'.repeat(1_000_000)}"`);
  expect((await post(gateway, gateway.token('other'), other.sessionId, large)).status).toBe(200);
});

describe('bodies together', () => {
  it('are counted while they arrive: a caller who holds its share is refused, others are not, until it lets go', async () => {
    await using gateway = await startGateway();
    const [mine, yours] = [gateway.token('me'), gateway.token('you')];
    const client = await openRawClient(gateway, mine);
    const other = await openRawClient(gateway, yours);
    const answers: string[] = [];
    // A quarter of 16 x (1 MiB and 50,000 values of 100 bytes) is 24 such halves.
    const sockets = Array.from({ length: 30 }, () => {
      const socket = sendHalf(gateway, mine, client.sessionId);
      socket.on('data', (data) => answers.push(String(data).slice(0, 12)));
      return socket;
    });
    await expect.poll(() => answers.length, patience).toBe(6);
    expect(new Set(answers)).toEqual(new Set(['HTTP/1.1 503']));
    const large = ping(1, `"${'x'.repeat(500_000)}"`);
    const refused = await post(gateway, mine, client.sessionId, large);
    expect([refused.status, await refused.text()]).toEqual([
      503,
      expect.stringMatching(/at most 92 MiB of memory .* those of one caller a quarter of it \(--max-body-bytes\)/),
    ]);
    expect((await post(gateway, yours, other.sessionId, large)).status).toBe(200);
    for (const socket of sockets) socket.destroy();
    await expect.poll(async () => (await post(gateway, mine, client.sessionId, large)).status, patience).toBe(200);
    expect(gateway.log.lines.filter(({ message }) => message.includes('was refused'))).toHaveLength(1);
  });

  it('are counted until their requests are answered, in all ways in which these end', async () => {
    const go = Promise.withResolvers<void>();
    await using rig = await startTargetRig(async ({ method }) => {
      if (method === 'tools/call') await go.promise;
      return { result: {} };
    });
    const { gateway } = rig;
    gateway.config.allow('n.p', 'me', 'tool', '*');
    const token = gateway.token('me');
    const client = await openRawClient(gateway, token);
    // Each takes a fifth of the share.
    const call = (id: number) => {
      return { jsonrpc: '2.0', id, method: 'tools/call', params: { name: 'a:x', arguments: Array(45_000).fill(0) } };
    };
    const waiting = [1, 2, 3, 4, 5].map((id) => post(gateway, token, client.sessionId, call(id)));
    await rig.target.arrival('tools/call', 5);
    expect((await post(gateway, token, client.sessionId, call(6))).status).toBe(503);
    await client.notify('notifications/cancelled', { requestId: 1 });
    const seventh = post(gateway, token, client.sessionId, call(7));
    await rig.target.arrival('tools/call', 6);
    expect((await post(gateway, token, client.sessionId, call(8))).status).toBe(503);
    go.resolve();
    for (const response of await Promise.all([...waiting, seventh])) await response.text();
    const duplicates = Array.from({ length: 10 }, () => ({ jsonrpc: '2.0', params: { x: Array(45_000).fill(0) } }));
    for (const refused of duplicates) expect((await post(gateway, token, client.sessionId, refused)).status).toBe(400);
    expect((await post(gateway, token, client.sessionId, call(9))).status).toBe(200);
  });
});

describe('the rest of a refused body', () => {
  it('is read and dropped, so that a client that writes all of it first sees the response', async () => {
    await using gateway = await startGateway();
    const token = gateway.token('me');
    const { sessionId } = await openRawClient(gateway, token);
    const size = 8 * mebibyte;
    const attempts = [
      [headOf(token, sessionId, `Content-Length: ${size}`), 413],
      [headOf('wrong', sessionId, `Content-Length: ${size}`), 401],
      [headOf(token, 'f'.repeat(32), `Content-Length: ${size}`), 404],
      [headOf(token, sessionId, `Origin: https://evil.example\r\nContent-Length: ${size}`), 403],
    ] as const;
    for (let times = 0; times < 5; times += 1) {
      for (const [head, status] of attempts) {
        const socket = connectTo(gateway).pause();
        socket.write(head);
        await new Promise<void>((resolve, reject) => {
          socket.once('error', reject);
          socket.write(Buffer.alloc(size, 'x'), () => resolve());
        });
        socket.end();
        expect((await text(socket)).slice(0, 12)).toBe(`HTTP/1.1 ${status}`);
      }
    }
  });

  it('is bounded: a client that goes on and on is disconnected', async () => {
    await using gateway = await startGateway();
    const token = gateway.token('me');
    const { sessionId } = await openRawClient(gateway, token);
    const socket = connectTo(gateway);
    const closed = new Promise<number>((resolve) => {
      socket.on('error', () => {});
      socket.once('close', () => resolve(socket.bytesWritten));
    });
    socket.resume();
    socket.write(headOf(token, sessionId, `Content-Length: ${1_000 * mebibyte}`));
    const part = Buffer.alloc(mebibyte, 'x');
    const writeOn = (): void => {
      if (!socket.destroyed) socket.write(part, writeOn);
    };
    writeOn();
    expect(await closed).toBeLessThan(64 * mebibyte);
  });
});

it('a large body takes a turn for each read, and one to be parsed; a small one takes none', async () => {
  const turns = new FairTurns();
  const next = vi.spyOn(turns, 'next');
  const counters = createRecordedGatewayCounters();
  const bodies = createBodyReader({ turns, clock: createManualClock(), log: createRecordedLog(), counters });
  const caller = { kind: 'anonymous', reason: 'stdio' } as const;
  const seen: unknown[] = [];
  const server = createServer((request, response) => {
    void bodies.read(request, caller).then((body) => {
      seen.push(body.kind);
      response.end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const post = (size: number) =>
    fetch(`http://127.0.0.1:${portOf(server.address())}`, { method: 'POST', body: JSON.stringify('x'.repeat(size)) });
  await post(60_000);
  expect(next).not.toHaveBeenCalled();
  await post(1_000_000);
  // Of 64 KiB at most; and all of them are for the same share.
  expect(next.mock.calls.length).toBeGreaterThan(15);
  expect(new Set(next.mock.calls.flat()).size).toBe(1);
  expect(seen).toEqual(['json', 'json']);
});
