import { getEventListeners } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  connect,
  connectTo,
  echo,
  failureOf,
  firstEvent,
  get,
  kubeconfigFor,
  listening,
  protocols,
  serve,
  textOf,
} from './kube-rig.ts';

describe.each(protocols)('a request over %s', (protocol) => {
  it('has credentials and user agent', async () => {
    const server = await serve(echo, { protocol });
    const { connection } = await connectTo(server);
    expect(await get(connection, '/version')).toEqual({ status: 200, text: '/version' });
    expect(server.seen[0]?.headers).toMatchObject({
      authorization: 'Bearer secret-token',
      'user-agent': 'gatehouse/1.2.3',
      accept: 'application/json',
    });
  });

  it('sends method, body and headers as given', async () => {
    const server = await serve(echo, { protocol });
    const { connection } = await connectTo(server);
    const headers = { 'Content-Type': 'application/merge-patch+json' };
    const response = await connection.send({ method: 'PATCH', path: '/a', headers, body: '{"b":1}' });
    expect(await textOf(response)).toBe('/a');
    expect(server.seen[0]?.method).toBe('PATCH');
    expect(server.seen[0]?.headers['content-type']).toBe('application/merge-patch+json');
    expect(await server.seen[0]?.text).toBe('{"b":1}');
  });

  it('decompresses the body, and fails when that is truncated', async () => {
    const text = 'a list of Services '.repeat(10_000);
    const packed = gzipSync(text);
    const server = await serve(
      (request) => {
        request.head(200, { 'content-encoding': 'gzip' });
        request.end(request.path === '/whole' ? packed : packed.subarray(0, packed.length - 20));
      },
      { protocol },
    );
    const { connection } = await connectTo(server);
    expect(await get(connection, '/whole')).toEqual({ status: 200, text });
    expect(server.seen[0]?.headers['accept-encoding']).toBe('gzip');
    expect(await failureOf(get(connection, '/cut'))).toBe(
      `${connection.server} ended its answer before it was complete`,
    );
  });

  it('does not accept compression for a watch', async () => {
    const server = await serve(echo, { protocol });
    const { connection } = await connectTo(server);
    await get(connection, '/api/v1/services?watch=true&resourceVersion=5');
    expect(server.seen[0]?.headers['accept-encoding']).toBeUndefined();
  });
});

describe.each(protocols)('many requests over %s', (protocol) => {
  it('shares one connection with others', async () => {
    const server = await serve(echo, { protocol });
    const { connection, counters } = await connectTo(server);
    for (let i = 0; i < 50; i++) expect(await get(connection, `/${i}`)).toEqual({ status: 200, text: `/${i}` });
    // An HTTP/1.1 connection becomes free some turns after its response was read.
    expect(server.opened()).toBeLessThanOrEqual(protocol === 'h2' ? 1 : 2);
    expect(counters.total('gatehouse_kube_requests_total', { status: '200' })).toBe(50);
  });

  it('can run beside many watches', async () => {
    const server = await serve(firstEvent, { protocol });
    const { connection } = await connectTo(server);
    const watches = await Promise.all(
      Array.from({ length: 20 }, (_, i) => connection.send({ method: 'GET', path: `/${i}?watch=true` })),
    );
    const iterators = watches.map(({ body }) => body[Symbol.asyncIterator]());
    for (const iterator of iterators) expect(String(Buffer.from((await iterator.next()).value))).toBe('first');
    const lists = await Promise.all(Array.from({ length: 20 }, (_, i) => get(connection, `/list/${i}`)));
    expect(lists.map(({ text }) => text)).toEqual(Array.from({ length: 20 }, (_, i) => `/list/${i}`));
    expect(server.opened()).toBeLessThanOrEqual(protocol === 'h2' ? 1 : 40);
    for (const one of server.seen) one.end();
    for (const iterator of iterators) expect(await iterator.next()).toMatchObject({ done: true });
  });
});

describe.each(protocols)('what is left over %s', (protocol) => {
  it('is freed by its signal, or by leaving the body', async () => {
    const server = await serve(firstEvent, { protocol });
    const { connection } = await connectTo(server);
    const controller = new AbortController();
    const aborted = await connection.send({ method: 'GET', path: '/watch/aborted', signal: controller.signal });
    const reading = textOf(aborted);
    controller.abort(new Error('enough'));
    expect(await failureOf(reading)).toBe('enough');
    expect(await server.seen[0]?.over).toBe('left');

    const left = await connection.send({ method: 'GET', path: '/watch/left' });
    for await (const chunk of left.body) {
      expect(Buffer.from(chunk).toString()).toBe('first');
      break;
    }
    expect(await server.seen[1]?.over).toBe('left');
    if (protocol === 'h2') expect(server.opened()).toBe(1);
  });

  it('leaves no listener on a signal that outlives it', async () => {
    const server = await serve(firstEvent, { protocol });
    const { connection } = await connectTo(server);
    const { signal } = new AbortController();
    await textOf(await connection.send({ method: 'GET', path: '/list', signal }));
    const { body } = await connection.send({ method: 'GET', path: '/watch', signal });
    for await (const _ of body) break;
    server.stop();
    await failureOf(connection.send({ method: 'GET', path: '/refused', signal }));
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  it('fails when its signal is aborted before there is a response', async () => {
    const server = await serve(() => {}, { protocol });
    const { connection, counters } = await connectTo(server);
    const controller = new AbortController();
    const sending = connection.send({ method: 'GET', path: '/', signal: controller.signal });
    await server.arrived(1);
    controller.abort(new Error('no longer'));
    expect(await failureOf(sending)).toBe('no longer');
    expect(await server.seen[0]?.over).toBe('left');
    expect(counters.total('gatehouse_kube_requests_total', { status: 'none' })).toBe(1);
    expect(await failureOf(connection.send({ method: 'GET', path: '/', signal: controller.signal }))).toBe('no longer');
    expect(server.seen).toHaveLength(1);
  });
});

describe.each(protocols)('a connection over %s', (protocol) => {
  it('fails on reconnect, and the next one opens a new connection', async () => {
    const server = await serve(firstEvent, { protocol });
    const { connection } = await connectTo(server);
    const watch = await connection.send({ method: 'GET', path: '/watch' });
    const reading = textOf(watch);
    connection.reconnect();
    expect(await failureOf(reading)).toBe(`${connection.server} was left: nothing came from it for too long`);
    expect(await server.seen[0]?.over).toBe('left');
    expect((await get(connection, '/after')).text).toBe('/after');
    expect(server.opened()).toBe(2);
  });

  it('fails when its connection breaks, whether or not its body is read', async () => {
    const server = await serve(firstEvent, { protocol });
    const { connection } = await connectTo(server);
    const [read, unread] = await Promise.all([
      connection.send({ method: 'GET', path: '/watch' }),
      connection.send({ method: 'GET', path: '/watch' }),
    ]);
    const reading = textOf(read);
    server.cut();
    expect(await failureOf(reading)).toBe(`${connection.server} broke the connection`);
    expect(await failureOf(textOf(unread))).toBe(`${connection.server} broke the connection`);
    expect((await get(connection, '/after')).text).toBe('/after');
  });

  it('fails after stop', async () => {
    const server = await serve(firstEvent, { protocol });
    const { connection } = await connectTo(server);
    const reading = textOf(await connection.send({ method: 'GET', path: '/watch' }));
    const failed = failureOf(reading);
    await connection.stop();
    expect(await failed).toBe(`${connection.server} was left: the program stops`);
    expect(await failureOf(get(connection))).toBe(`the connection to ${connection.server} is closed`);
    await connection.stop();
  });
});

describe('the time limit', () => {
  it('of 30 seconds includes connecting', async () => {
    const silent = createServer();
    const accepted = Promise.withResolvers<Socket>();
    silent.on('connection', accepted.resolve);
    const { connection, clock } = await connect(await kubeconfigFor({ url: `https://${await listening(silent)}` }));
    const failed = failureOf(get(connection));
    const socket = await accepted.promise;
    onTestFinished(() => void socket.destroy());
    clock.advance(30_000);
    expect(await failed).toBe(`${connection.server} did not answer within 30 seconds`);
  });

  it('is 30 seconds for the head, and there is none for the body', async () => {
    const server = await serve((request) => (request.path === '/silent' ? undefined : firstEvent(request)));
    const { connection, clock } = await connectTo(server);
    const watch = await connection.send({ method: 'GET', path: '/watch' });
    const silent = connection.send({ method: 'GET', path: '/silent' });
    await server.arrived(2);
    clock.advance(30_000);
    expect(await failureOf(silent)).toBe(`${connection.server} did not answer within 30 seconds`);
    for (let round = 0; round < 10; round += 1) {
      // As the answers of PINGs do in real time, it shows that the connection works.
      await connection.ask({ method: 'GET', path: '/other' });
      clock.advance(30_000);
    }
    const reading = textOf(watch);
    server.seen[0]?.end(', second');
    expect(await reading).toBe('first, second');
  });
});
