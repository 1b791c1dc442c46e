import { createServer } from 'node:http';
import { connect as connectTcp, type Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { connectTo, ending, failureOf, firstEvent, get, protocols, serve, textOf } from './kube-rig.ts';

interface Proxy {
  readonly url: string;
  /** The hosts that it was asked for. */
  readonly asked: readonly string[];
}

/** A proxy that lets everybody through (CONNECT), or answers with a status. */
async function createProxy(status = 200): Promise<Proxy> {
  const asked: string[] = [];
  const sockets: Socket[] = [];
  const server = createServer();
  server.on('connect', ({ url = '' }, client: Socket) => {
    asked.push(url);
    if (status !== 200) return void client.end(`HTTP/1.1 ${status} No\r\n\r\n`);
    const [host, port] = url.split(':');
    const upstream = connectTcp(Number(port), host, () => {
      client.write('HTTP/1.1 200 OK\r\n\r\n');
      client.pipe(upstream).pipe(client);
    });
    for (const socket of [client, upstream]) socket.on('error', () => {});
    sockets.push(client, upstream);
  });
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(0, '127.0.0.1', resolve);
  await promise;
  ending(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  const bound = server.address();
  return { url: `http://127.0.0.1:${typeof bound === 'object' && bound !== null ? bound.port : 0}`, asked };
}

describe.each(protocols)('the proxy that the kubeconfig names, before a server with %s', (protocol) => {
  it('is asked for one connection that carries everything', async () => {
    const server = await serve(firstEvent, { protocol });
    const proxy = await createProxy();
    const { connection } = await connectTo(server, { cluster: { 'proxy-url': proxy.url } });
    const watch = await connection.send({ method: 'GET', path: '/watch' });
    for (let i = 0; i < 5; i++) expect((await get(connection)).status).toBe(200);
    expect(new Set(proxy.asked)).toEqual(new Set([new URL(server.url).host]));
    expect(proxy.asked.length).toBeLessThanOrEqual(protocol === 'h2' ? 1 : 3);
    const failed = failureOf(textOf(watch));
    connection.reconnect();
    expect(await failed).toBe(`${connection.server} was left: the connection was closed from here`);
    expect((await get(connection)).status).toBe(200);
  });

  it('is named when it refuses', async () => {
    const server = await serve(firstEvent, { protocol });
    const proxy = await createProxy(407);
    const { connection } = await connectTo(server, { cluster: { 'proxy-url': proxy.url } });
    expect(await failureOf(get(connection))).toBe(`${connection.server} cannot be reached: the proxy answers 407`);
  });
});
