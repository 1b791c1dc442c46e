import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { expect, it } from 'vitest';
import { type GatewayRig, startGateway } from '../../support/gateway/gateway-rig.ts';

/** Sends a request whose body does not end, so that it is being answered until the connection is closed. */
async function hold(gateway: GatewayRig, token: string): Promise<Socket> {
  const { port, hostname } = new URL(gateway.url);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => {}).resume();
  await once(socket, 'connect');
  const head = ['POST /mcp HTTP/1.1', 'Host: localhost', `Authorization: Bearer ${token}`, 'Content-Length: 9'];
  socket.write(`${head.join('\r\n')}\r\n\r\n1`);
  return socket;
}

async function ask(gateway: GatewayRig, token: string): Promise<Response> {
  const response = await fetch(`${gateway.url}/mcp`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: '{}',
  });
  return response;
}

it('one caller has 2,048 requests and event streams open at most, and another is answered meanwhile', async () => {
  await using gateway = await startGateway();
  const [token, other] = [gateway.token('me'), gateway.token('you')];
  const held = await Promise.all(Array.from({ length: 2_048 }, () => hold(gateway, token)));

  const refused = await ask(gateway, token);
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '5']);
  expect(await refused.json()).toMatchObject({
    error: { message: 'You have 2048 requests and event streams open: close some' },
  });
  expect((await ask(gateway, gateway.token('me'))).status).toBe(429);
  expect((await ask(gateway, other)).status).toBe(400);
  expect(gateway.counters.total('gatehouse_gateway_requests_refused_total', { reason: 'caller' })).toBe(2);
  expect(gateway.log.lines.filter(({ message }) => message.startsWith('requests are refused'))).toHaveLength(1);

  for (const socket of held) socket.destroy();
  let again = await ask(gateway, token);
  while (again.status === 429) again = await ask(gateway, token);
  expect(again.status).toBe(400);
});
