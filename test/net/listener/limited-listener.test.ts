import { once } from 'node:events';
import { type RequestListener, request, type ServerResponse } from 'node:http';
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  type HttpLimits,
  type LimitedListener,
  openLimitedListener,
} from '../../../src/net/listener/limited-listener.ts';
import { createManualClock, type ManualClock } from '../../support/edges/manual-clock.ts';
import { createRecordedLog, type RecordedLog } from '../../support/edges/recorded-log.ts';

let clock: ManualClock;
let log: RecordedLog;
let lost: string[];
let listener: LimitedListener | undefined;
let sockets: Socket[];

beforeEach(() => {
  clock = createManualClock();
  log = createRecordedLog();
  lost = [];
  sockets = [];
});

afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  await listener?.close();
  listener = undefined;
});

const answerOk: RequestListener = (_, response) => void response.end('ok');

async function open(limits: Partial<HttpLimits>, handle: RequestListener = answerOk): Promise<number> {
  listener = await openLimitedListener({ host: '127.0.0.1', port: 0 }, () => handle, {
    listener: 'test',
    certificate: undefined,
    limits,
    clock,
    log,
    lost: (reason) => void lost.push(reason),
  });
  return listener.address.port;
}

/** Connects, and sends a text. */
async function raw(port: number, sent: string, localAddress = '127.0.0.1'): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', localAddress });
  sockets.push(socket);
  socket.on('error', () => {}).resume();
  await once(socket, 'connect');
  if (sent !== '') socket.write(sent);
  return socket;
}

/** Sends one request on a connection of its own. Returns the status, or the code of the error. */
async function get(port: number, localAddress = '127.0.0.1'): Promise<number | string> {
  const { promise, resolve } = Promise.withResolvers<number | string>();
  request({ port, host: '127.0.0.1', localAddress, agent: false }, (response) => {
    void text(response).then(() => resolve(response.statusCode ?? 0));
  })
    .on('error', (error) => resolve('code' in error ? String(error.code) : error.message))
    .end();
  return promise;
}

const closed = (socket: Socket): Promise<unknown> => (socket.closed ? Promise.resolve() : once(socket, 'close'));
const halfHead = 'GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: ';
const wholeHead = 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n';
const halfBody = 'POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n1234';
const count = (reason: string): number => lost.filter((other) => other === reason).length;
const warnings = (): number => log.lines.filter(({ level }) => level === 'warn').length;

describe('the number of connections', () => {
  it.each([
    ['nothing', ''],
    ['half of a request head', halfHead],
  ])('an honest client of the same address is answered beside many that send %s', async (_, sent) => {
    const port = await open({ maxConnections: 40 });
    const statuses: (number | string)[] = [];
    for (let round = 0; round < 10; round += 1) {
      await Promise.all(Array.from({ length: 50 }, () => raw(port, sent)));
      statuses.push(await get(port));
    }
    expect(statuses).toEqual(Array.from({ length: 10 }, () => 200));
    // 500 and 10 were opened, and three quarters of 40 are open at most.
    expect(count('evicted')).toBeGreaterThanOrEqual(510 - 30 - 10);
    expect(count('refused')).toBe(0);
    expect(warnings()).toBe(1);
  });

  it('the oldest that has sent no complete head goes first, then the longest idle, then the oldest unfinished request', async () => {
    const requests: string[] = [];
    const { promise: twoBegan, resolve } = Promise.withResolvers<void>();
    const port = await open({ maxConnections: 5 }, (incoming, response) => {
      requests.push(incoming.method ?? '');
      if (incoming.method === 'GET') response.end('ok');
      else if (requests.length === 2) resolve();
    });
    const idle = await raw(port, wholeHead);
    await once(idle, 'data');
    const receiving = await raw(port, halfBody);
    await twoBegan;
    const [first, second] = [await raw(port, halfHead), await raw(port, halfHead)];
    const order: string[] = [];
    for (const [name, socket] of Object.entries({ idle, receiving, first, second })) {
      socket.once('close', () => order.push(name));
    }
    for (const evicted of [first, second]) {
      await raw(port, wholeHead).then((socket) => once(socket, 'data'));
      await closed(evicted);
    }
    await raw(port, wholeHead).then((socket) => once(socket, 'data'));
    await closed(idle);
    expect(order).toEqual(['first', 'second', 'idle']);
    expect(receiving.closed).toBe(false);
  });

  it('when all of one address are being served, it gets no more, and another address does', async () => {
    const waiting: ServerResponse[] = [];
    const port = await open({ maxConnections: 8 }, (incoming, response) => {
      if (incoming.socket.remoteAddress === '127.0.0.1') waiting.push(response);
      else response.end('ok');
    });
    const own = Array.from({ length: 6 }, () => raw(port, wholeHead));
    await Promise.all(own);
    while (waiting.length < 6) await get(port, '127.0.0.2');
    expect(await get(port)).toBe('ECONNRESET');
    expect(await get(port, '127.0.0.2')).toBe(200);
    expect(lost).toEqual(['refused']);
    expect(warnings()).toBe(1);
    for (const response of waiting) response.end();
  });
});

describe('the end of too many connections', () => {
  it('is in the log once none was closed for half a minute', async () => {
    const port = await open({ maxConnections: 8 });
    await Promise.all(Array.from({ length: 20 }, () => raw(port, halfHead)));
    await get(port);
    for (const socket of sockets) socket.destroy();
    await Promise.all(sockets.map(closed));
    expect(log.lines.filter(({ message }) => message === 'fewer connections again')).toEqual([]);
    // Somebody who opens many again and again would write a line with each.
    clock.advance(30_000);
    await get(port);
    await log.line('fewer connections again');
    expect(warnings()).toBe(1);
  });
});

describe('the time of a connection', () => {
  it.each([
    ['a head that is never complete', halfHead, 5_000],
    ['a connection without a byte', '', 5_000],
    ['a body that is never complete', halfBody, 60_000],
    ['a connection without a further request', wholeHead, 65_000],
  ])('%s', async (_, sent, limit) => {
    const { promise: arrived, resolve } = Promise.withResolvers<void>();
    const port = await open({}, (incoming, response) => {
      if (incoming.method === 'GET') response.end('ok');
      resolve();
    });
    const socket = await raw(port, sent);
    if (sent.startsWith('POST')) await arrived;
    else if (sent === wholeHead) await once(socket, 'data');
    // The connection was accepted before this one, which is answered.
    expect(await get(port, '127.0.0.2')).toBe(200);
    clock.advance(limit - 1);
    expect(socket.closed).toBe(false);
    clock.advance(1);
    await closed(socket);
    expect(count('timeout')).toBeGreaterThanOrEqual(1);
    expect(warnings()).toBe(0);
  });

  it('a request that is complete may be answered for as long as it takes', async () => {
    const { promise: arrived, resolve } = Promise.withResolvers<ServerResponse>();
    const port = await open({}, (_, response) => resolve(response));
    const status = get(port);
    const response = await arrived;
    clock.advance(3_600_000);
    response.end();
    expect(await status).toBe(200);
    expect(lost).toEqual([]);
  });

  it('many that are late are closed a few at once', async () => {
    const port = await open({});
    await Promise.all(Array.from({ length: 100 }, () => raw(port, halfHead)));
    expect(await get(port)).toBe(200);
    clock.advance(5_000);
    expect(count('timeout')).toBe(32);
    clock.advance(30);
    expect(count('timeout')).toBe(100);
    await Promise.all(sockets.map(closed));
    expect(warnings()).toBe(0);
  });

  it('more of them than browsers and slow clients cause are one line in the log', async () => {
    const port = await open({});
    await Promise.all(Array.from({ length: 150 }, () => raw(port, halfHead)));
    expect(await get(port)).toBe(200);
    for (let turns = 0; turns < 5; turns += 1) clock.advance(turns === 0 ? 5_000 : 10);
    expect(count('timeout')).toBe(150);
    expect(log.lines.map(({ message }) => message)).toEqual([
      'many connections are closed because no complete request arrives in time',
    ]);
    await Promise.all(sockets.map(closed));
  });
});

describe('a clock that is set back or forward', () => {
  it('changes no time of a connection', async () => {
    const port = await open({});
    const socket = await raw(port, halfHead);
    expect(await get(port, '127.0.0.2')).toBe(200);
    clock.jump(-3_600_000);
    clock.advance(4_999);
    clock.jump(7_200_000);
    expect([socket.closed, count('timeout')]).toEqual([false, 0]);
    clock.advance(1);
    await closed(socket);
  });
});

describe('pipelined requests', () => {
  it('are handled one after another', async () => {
    const waiting: ServerResponse[] = [];
    const port = await open({}, (_, response) => void waiting.push(response));
    const socket = await raw(port, wholeHead.repeat(3));
    const seen: number[] = [];
    for (let answered = 0; answered < 3; answered += 1) {
      while (waiting.length === answered) await new Promise(setImmediate);
      seen.push(waiting.length);
      expect(waiting[answered]?.socket).not.toBeNull();
      waiting[answered]?.end('ok');
    }
    expect(seen).toEqual([1, 2, 3]);
    expect(socket.closed).toBe(false);
  });

  it('more than eight that wait close the connection, and none of them is handled', async () => {
    let handled = 0;
    const port = await open({}, () => {
      handled += 1;
    });
    for (let times = 0; times < 3; times += 1) await closed(await raw(port, wholeHead.repeat(1_000)));
    expect([handled, lost]).toEqual([3, ['pipelined', 'pipelined', 'pipelined']]);
    expect(warnings()).toBe(1);
  });

  it('wait on all connections 256 at most, three quarters of them of one address', async () => {
    let handled = 0;
    const port = await open({}, () => {
      handled += 1;
    });
    /** Sends nine requests on each of so many connections. Returns those that stay open. */
    const pipeline = async (connections: number, from: string): Promise<readonly Socket[]> => {
      const open: Socket[] = [];
      for (let left = connections; left > 0; left -= 1) {
        const [before, closedBefore] = [handled, lost.length];
        const socket = await raw(port, wholeHead.repeat(9), from);
        // All nine arrive at once.
        while (handled === before) await new Promise(setImmediate);
        if (lost.length === closedBefore) open.push(socket);
        else await closed(socket);
      }
      return open;
    };
    const [first] = await pipeline(24 + 2, '127.0.0.2');
    expect(lost).toEqual(['pipelined', 'pipelined']);
    expect(await pipeline(8 + 1, '127.0.0.3')).toHaveLength(8);
    first?.destroy();
    // What it held is given back once the listener has noticed.
    while ((await pipeline(1, '127.0.0.2')).length === 0);
  });
});

it('drains: idle connections are closed, and it ends when the last response does', async () => {
  const { promise: arrived, resolve } = Promise.withResolvers<ServerResponse>();
  const port = await open({}, (_, response) => resolve(response));
  const status = get(port);
  const response = await arrived;
  const events: string[] = [];
  const drained = listener?.drain().then(() => events.push('drained'));
  await new Promise(setImmediate);
  events.push('answering');
  response.end();
  await drained;
  expect(events).toEqual(['answering', 'drained']);
  expect(await status).toBe(200);
});
