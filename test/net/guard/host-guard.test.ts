import { createServer, type IncomingMessage, request } from 'node:http';
import { expect, it } from 'vitest';
import { onlyForLoopbackHosts } from '../../../src/net/guard/host-guard.ts';
import { close, listen } from '../../../src/net/listener/http-listener.ts';

it.each([
  ['localhost', 200],
  ['localhost:19000', 200],
  ['127.0.0.1:1', 200],
  ['[::1]:19000', 200],
  ['[::1]', 200],
  ['app.localhost', 200],
  ['evil.example', 403],
  ['evil.example:19000', 403],
  ['127.0.0.1.evil.example', 403],
  ['10.0.0.1', 403],
  ['0.0.0.0', 403],
  ['[::%fff:127.0.0.1]:80', 403],
])('a loopback listener answers a request for host %j with %d', async (host, status) => {
  const server = createServer(onlyForLoopbackHosts((_, response) => response.end()));
  const { port } = await listen(server, { host: '127.0.0.1', port: 0 });
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  request({ host: '127.0.0.1', port, headers: { host } }, resolve).on('error', reject).end();
  const answer = await promise;
  answer.resume();
  expect(answer.statusCode).toBe(status);
  await close(server);
});
