import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { connect, createServer as createTcpServer, Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { ConnectionTurns, queueTeardown } from '../../../src/net/listener/connection-turns.ts';
import { close, listen } from '../../../src/net/listener/http-listener.ts';
import { createManualClock, type ManualClock } from '../../support/edges/manual-clock.ts';

let server: Server;
let turns: ConnectionTurns;
let port: number;
/** Connections that HTTP has been given, and those that it has heard the end of, by iteration of the event loop. */
let begun: number[];
let ended: number[];
let turning = true;
let iteration: number;
let clock: ManualClock;
/** The addresses of connections that waited for a rate. */
let delayed: string[];

beforeEach(async () => {
  begun = [];
  ended = [];
  iteration = 0;
  turning = true;
  server = createServer((_, response) => void response.end('ok'));
  const count = (counts: number[]): void => {
    counts[iteration] = (counts[iteration] ?? 0) + 1;
  };
  server.on('connection', (socket) => {
    count(begun);
    socket.on('end', () => count(ended));
    socket.on('close', () => count(ended));
  });
  delayed = [];
  clock = createManualClock();
  const rates = { rate: 4, burst: 400 };
  turns = new ConnectionTurns(server, { ...rates, clock, delayed: (address) => void delayed.push(address) });
  ({ port } = await listen(server, { host: '127.0.0.1', port: 0 }));
  const turn = (): void => {
    iteration += 1;
    if (turning) setImmediate(turn);
  };
  turn();
});

afterEach(async () => {
  turning = false;
  await close(server);
});

async function connectMany(count: number, sent: string, localAddress = '127.0.0.1'): Promise<readonly Socket[]> {
  const to = { port, host: '127.0.0.1', localAddress };
  const sockets = Array.from({ length: count }, () => connect(to).on('error', () => {}));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
  });
  await Promise.all(sockets.map((socket) => once(socket, 'connect')));
  for (const socket of sockets) socket.write(sent);
  return sockets;
}

const sum = (counts: readonly number[]): number => counts.reduce((total, count) => total + (count ?? 0), 0);
const most = (counts: readonly number[]): number => Math.max(...counts.filter((count) => count !== undefined));

async function until(reached: () => boolean): Promise<void> {
  while (!reached()) await new Promise(setImmediate);
}

describe('connections that come at once', () => {
  it('begin a few in each iteration of the event loop', async () => {
    const sockets = Array.from({ length: 100 }, () => new Socket());
    for (const socket of sockets) server.emit('connection', socket);
    await until(() => sum(begun) === 100);
    expect(most(begun)).toBeLessThanOrEqual(16);
    for (const socket of sockets) socket.destroy();
    await until(() => sockets.every(({ closed }) => closed));
  });

  it('end a few in each iteration of the event loop', async () => {
    const sockets = await connectMany(200, 'GET / HTTP/1.1\r\nHost: a\r\nX-Slow: ');
    await until(() => sum(begun) === 200);
    for (const socket of sockets) socket.end();
    // The end of what each client sends, and of the connection, count each.
    await until(() => sum(ended) === 400);
    expect(most(ended)).toBeLessThanOrEqual(2 * 32);
  });

  it('begin in turn by address, and are answered', async () => {
    await connectMany(150, '');
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => fetch(`http://127.0.0.1:${port}/`).then((response) => response.text())),
    );
    expect(new Set(answers)).toEqual(new Set(['ok']));
  });

  it('beyond the rate of their address wait for it, and those of other addresses do not', async () => {
    const flood = [...(await connectMany(303, '')), ...(await connectMany(2, '', '127.0.0.2'))];
    // Three quarters of a burst of 400 are of one address.
    await until(() => sum(begun) === 302);
    await until(() => delayed.length > 0);
    expect(new Set(delayed)).toEqual(new Set(['127.0.0.1']));
    expect(clock.waiting()).toHaveLength(1);
    clock.advance(1_000);
    await until(() => sum(begun) === 305);
    for (const socket of flood) socket.destroy();
  });

  it('beyond the rate of all wait for it, whatever their addresses', async () => {
    await connectMany(250, '');
    await connectMany(151, '', '127.0.0.2');
    await until(() => sum(begun) === 400);
    await until(() => delayed.length > 0);
    clock.advance(250);
    await until(() => sum(begun) === 401);
  });

  it('are closed with the server, those that wait and those that come', async () => {
    const sockets = Array.from({ length: 40 }, () => new Socket());
    for (const socket of sockets.slice(0, 39)) server.emit('connection', socket);
    turns.close();
    for (const socket of sockets.slice(39)) server.emit('connection', socket);
    expect(sockets.map(({ destroyed }) => destroyed)).toEqual(sockets.map(() => true));
    await until(() => sockets.every(({ closed }) => closed));
  });

  it('are reset without a turn when a new one takes their place', async () => {
    const { promise, resolve } = Promise.withResolvers<Socket>();
    server.prependListener('connection', resolve);
    const clients = await connectMany(1, '');
    const socket = await promise;
    await until(() => sum(begun) === 1);
    turns.resetNow(socket);
    // What the operating system has of the connection is closed when the function returns.
    expect(Reflect.get(socket, '_handle')).toBeNull();
    await until(() => clients.every(({ closed }) => closed));
  });
});

describe('a connection whose teardown waits', () => {
  it('reads nothing more: Node throws for bytes that arrive on a destroyed socket', async () => {
    const tearDown = Promise.withResolvers<() => void>();
    const accepted = Promise.withResolvers<Socket>();
    const plain = createTcpServer((socket) => accepted.resolve(socket.on('error', () => {}).resume()));
    const address = await listen(plain, { host: '127.0.0.1', port: 0 });
    const client = connect(address.port, '127.0.0.1').on('error', () => {});
    onTestFinished(() => {
      client.destroy();
      plain.close();
    });
    const socket = await accepted.promise;
    queueTeardown(socket, tearDown.resolve);
    socket.destroy();
    const handle: unknown = Reflect.get(socket, '_handle');
    const bytesRead = (): unknown => Reflect.get(Object(handle), 'bytesRead');
    const before = bytesRead();
    await new Promise((resolve) => client.write('x'.repeat(1_000), resolve));
    // On loopback the bytes are there when they are written: the next iterations would read them.
    for (let turns = 0; turns < 10; turns += 1) await new Promise(setImmediate);
    expect([before, bytesRead()]).toEqual([0, 0]);
    (await tearDown.promise)();
    await until(() => socket.closed);
  });
});
