import { createServer } from 'node:http';
import { connect } from 'node:net';
import { expect, it } from 'vitest';
import { maxBacklogBytes } from '../../../src/gateway/downstream/event-stream.ts';
import { portOf } from '../../support/gateway/gateway-rig.ts';
import { startTargetRig } from '../../support/gateway/target-rig.ts';
import { openRawClient } from '../../support/nodes/raw-client.ts';

const message = 'x'.repeat(1024 * 1024);

it('a client that does not read is disconnected, and its session stays open', async () => {
  await using rig = await startTargetRig(({ params }, say) => {
    if (params['name'] !== 'flood') return { result: {} };
    for (let sent = 0; sent < maxBacklogBytes * 4; sent += message.length) {
      say('notifications/progress', { progressToken: 1, progress: sent, message });
    }
    return undefined;
  });
  const { gateway } = rig;
  gateway.config.allow('n.p', 'me', 'tool', '*');
  const token = gateway.token('me');
  const client = await openRawClient(gateway, token);

  const cutOff = Promise.withResolvers<boolean>();
  const server = createServer((request, response) => {
    response.once('close', () => cutOff.resolve(!response.writableFinished));
    gateway.downstream.handle(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const params = { name: 'a:flood', _meta: { progressToken: 1 } };
  const body = JSON.stringify({ jsonrpc: '2.0', id: 'flood', method: 'tools/call', params });
  const head = [
    'POST /mcp HTTP/1.1',
    'Host: localhost',
    `Authorization: Bearer ${token}`,
    'Accept: application/json, text/event-stream',
    'Content-Type: application/json',
    `Mcp-Session-Id: ${client.sessionId}`,
    `Content-Length: ${body.length}`,
  ];
  const socket = connect(portOf(server.address()), '127.0.0.1').pause();
  socket.write(`${head.join('\r\n')}\r\n\r\n${body}`);

  expect(await cutOff.promise).toBe(true);
  expect((await client.request('tools/call', { name: 'a:small' })).result).toEqual({});
  socket.destroy();
  await new Promise((resolve) => server.close(resolve));
});
