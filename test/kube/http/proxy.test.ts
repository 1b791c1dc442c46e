import { createServer } from 'node:http';
import { connect as connectTcp, createServer as createTcpServer, type Socket } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { connectTo, failureOf, firstEvent, get, listening, protocols, serve, textOf } from '../kube-rig.ts';

interface Proxy {
  readonly url: string;
  /** The hosts of the requests. */
  readonly asked: readonly string[];
}

/** An HTTP proxy that tunnels (CONNECT), or answers with a status. */
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
  const address = await listening(server);
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
  });
  return { url: `http://${address}`, asked };
}

/** A SOCKS5 proxy (RFC 1928) without authentication, to IPv4 addresses only. */
async function createSocksProxy(): Promise<Proxy> {
  const asked: string[] = [];
  const server = createTcpServer((client) => {
    client.on('error', () => {});
    client.once('data', () => {
      client.write(Buffer.of(5, 0));
      client.once('data', (request: Buffer) => {
        const [host, port] = [[...request.subarray(4, 8)].join('.'), request.readUInt16BE(8)];
        asked.push(`${host}:${port}`);
        const upstream = connectTcp(port, host, () => {
          client.write(Buffer.of(5, 0, 0, 1, 127, 0, 0, 1, 0, 0));
          client.pipe(upstream).pipe(client);
        });
        upstream.on('error', () => {});
        onTestFinished(() => void upstream.destroy());
      });
    });
  });
  return { url: `socks5://${await listening(server)}`, asked };
}

describe.each(protocols)('the proxy that the kubeconfig names, before a server with %s', (protocol) => {
  it('tunnels all requests through one connection', async () => {
    const server = await serve(firstEvent, { protocol });
    const proxy = await createProxy();
    const { connection } = await connectTo(server, { cluster: { 'proxy-url': proxy.url } });
    const watch = await connection.send({ method: 'GET', path: '/watch' });
    for (let i = 0; i < 5; i++) expect((await get(connection)).status).toBe(200);
    expect(new Set(proxy.asked)).toEqual(new Set([new URL(server.url).host]));
    expect(proxy.asked.length).toBeLessThanOrEqual(protocol === 'h2' ? 1 : 3);
    await connection.ask({ method: 'PUT', path: '/lease', body: '{}' });
    expect(server.seen.at(-1)).toMatchObject({ method: 'PUT', version: '1.1' });
    expect(new Set(proxy.asked)).toEqual(new Set([new URL(server.url).host]));
    const failed = failureOf(textOf(watch));
    connection.reconnect();
    expect(await failed).toBe(`${connection.server} was left: the connection was closed from here`);
    expect((await get(connection)).status).toBe(200);
  });

  it('is named in the error when it refuses', async () => {
    const server = await serve(firstEvent, { protocol });
    const proxy = await createProxy(407);
    const { connection } = await connectTo(server, { cluster: { 'proxy-url': proxy.url } });
    expect(await failureOf(get(connection))).toBe(`${connection.server} cannot be reached: the proxy answers 407`);
  });
});

describe('a SOCKS proxy that the kubeconfig names', () => {
  it('tunnels all requests', async () => {
    const server = await serve(firstEvent, { protocol: 'http/1.1' });
    const proxy = await createSocksProxy();
    const { connection } = await connectTo(server, { cluster: { 'proxy-url': proxy.url } });
    const watch = await connection.send({ method: 'GET', path: '/watch' });
    expect((await get(connection)).status).toBe(200);
    expect(new Set(proxy.asked)).toEqual(new Set([new URL(server.url).host]));
    server.seen[0]?.end();
    expect(await textOf(watch)).toBe('first');
  });
});
