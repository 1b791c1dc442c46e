import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { expect, it } from 'vitest';
import { createManualClock } from '../../support/edges/manual-clock.ts';
import type { GatewayRig } from '../../support/gateway/gateway-rig.ts';
import { startTargetRig } from '../../support/gateway/target-rig.ts';
import { openRawClient } from '../../support/nodes/raw-client.ts';

const mebibyte = 1024 * 1024;
const message = 'x'.repeat(mebibyte);

/** Sends a request on a connection of its own, which nothing reads. */
async function sendUnread(
  gateway: GatewayRig,
  token: string,
  [line, body = '', ...headers]: readonly string[],
): Promise<Socket> {
  const { port, hostname } = new URL(gateway.url);
  const socket = connect(Number(port), hostname).pause();
  await once(socket, 'connect');
  const head = [
    `${line} HTTP/1.1`,
    'Host: localhost',
    `Authorization: Bearer ${token}`,
    'Accept: application/json, text/event-stream',
    'Content-Type: application/json',
    `Content-Length: ${body.length}`,
    ...headers,
  ];
  socket.on('error', () => {}).write(`${head.join('\r\n')}\r\n\r\n${body}`);
  return socket;
}

const call = (id: string, name: string): string =>
  JSON.stringify({ jsonrpc: '2.0', id, method: 'tools/call', params: { name, _meta: { progressToken: 1 } } });

const initialize = JSON.stringify({
  jsonrpc: '2.0',
  id: 'initialize',
  method: 'initialize',
  params: { protocolVersion: '2024-11-05', capabilities: {}, clientInfo: { name: 'test', version: '1' } },
});

/** Reads up to the text. */
async function readUntil(socket: Socket, wanted: string): Promise<string> {
  let seen = '';
  while (!seen.includes(wanted)) {
    const chunk: unknown = socket.read();
    if (Buffer.isBuffer(chunk)) seen += chunk.toString('latin1');
    else if (socket.destroyed) throw new Error(`closed after ${seen.length} bytes`);
    else await new Promise(setImmediate);
  }
  return seen;
}

it('a client that leaves more unread than its share is disconnected, with one line, and its session stays open', async () => {
  await using rig = await startTargetRig(({ params }, say) => {
    if (params['name'] !== 'flood') return { result: {} };
    // Half of what all clients may leave unread, and what the operating system takes.
    for (let sent = 0; sent < 70; sent += 1) {
      say('notifications/progress', { progressToken: 1, progress: sent, message });
    }
    return undefined;
  });
  const { gateway } = rig;
  gateway.config.allow('n.p', 'me', 'tool', '*');
  const token = gateway.token('me');
  const client = await openRawClient(gateway, token);

  const socket = await sendUnread(gateway, token, [
    'POST /mcp',
    call('flood', 'a:flood'),
    `Mcp-Session-Id: ${client.sessionId}`,
  ]);
  await gateway.log.line('an event stream was closed because its client does not read it');
  socket.resume();
  await once(socket, 'close');
  expect(gateway.counters.total('gatehouse_gateway_event_streams_cut_total', { reason: 'too much unread' })).toBe(1);
  // The target is not asked for some seconds, because it flooded.
  const small = async (): Promise<unknown> => (await client.request('tools/call', { name: 'a:small' })).result;
  await expect.poll(small, { timeout: 15_000 }).toEqual({});
});

it('a client that reads slowly gets all that is sent on both transports, long after it was handed over', async () => {
  const size = 20;
  const clock = createManualClock();
  await using rig = await startTargetRig(
    (_, say) => {
      for (let sent = 0; sent < size; sent += 1) {
        say('notifications/progress', { progressToken: 1, progress: sent, message });
      }
      return { result: { content: [{ type: 'text', text: 'the end' }] } };
    },
    { clock },
  );
  const { gateway } = rig;
  gateway.config.allow('n.p', 'me', 'tool', '*');
  const token = gateway.token('me');
  const client = await openRawClient(gateway, token);
  const session = `Mcp-Session-Id: ${client.sessionId}`;
  const streamable = await sendUnread(gateway, token, ['POST /mcp', call('large', 'a:large'), session]);
  const sse = await sendUnread(gateway, token, ['GET /sse']);
  const endpoint = /sessionId=\w+/.exec(await readUntil(sse, 'sessionId=')) ?? [''];
  const post = async (body: string): Promise<void> => {
    const posted = await sendUnread(gateway, token, [`POST /sse?${endpoint[0]}`, body]);
    await readUntil(posted, 'Accepted');
    posted.destroy();
  };
  await post(initialize);
  await readUntil(sse, 'protocolVersion');
  await post(call('large', 'a:large'));

  const read = { streamable: 0, sse: 0 };
  const tails = { streamable: '', sse: '' };
  while (Object.values(tails).some((tail) => !tail.includes('the end'))) {
    for (const [name, socket] of [
      ['streamable', streamable],
      ['sse', sse],
    ] as const) {
      for (const start = read[name]; read[name] < start + mebibyte / 2 && !tails[name].includes('the end'); ) {
        const chunk: unknown = socket.read();
        if (Buffer.isBuffer(chunk)) {
          read[name] += chunk.length;
          // Comments may follow the last message.
          tails[name] = (tails[name] + chunk.toString('latin1')).slice(-8_192);
        } else if (socket.destroyed) throw new Error(`${name} closed after ${read[name]} bytes`);
        else {
          await new Promise(setImmediate);
          // Turns rest after the long step that the advance below looks like.
          clock.advance(1);
        }
      }
    }
    clock.advance(15_000);
  }
  expect(Math.min(read.streamable, read.sse)).toBeGreaterThan(size * mebibyte);
  expect(gateway.counters.total('gatehouse_gateway_event_streams_cut_total')).toBe(0);
  for (const socket of [streamable, sse]) socket.destroy();
});
