import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { connect, type Socket } from 'node:net';
import { setImmediate as iteration } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import { type HttpLimits, openLimitedListener } from '../../../src/net/listener/limited-listener.ts';
import { createManualClock } from '../../support/edges/manual-clock.ts';
import { createRecordedLog } from '../../support/edges/recorded-log.ts';

const get = 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n';

async function start(limits: Partial<HttpLimits>) {
  const clock = createManualClock();
  const log = createRecordedLog();
  const answered: string[] = [];
  let delays = 0;
  const listener = await openLimitedListener(
    { host: '127.0.0.1', port: 0 },
    () => (request: IncomingMessage, response: ServerResponse) => {
      answered.push(request.socket.remoteAddress ?? '');
      response.end('ok');
    },
    { listener: 'test', certificate: undefined, limits, clock, log, delayed: () => (delays += 1) },
  );
  onTestFinished(() => listener.close());
  const open = async (localAddress = '127.0.0.1'): Promise<Socket> => {
    const socket = connect({ port: listener.address.port, host: '127.0.0.1', localAddress }).on('error', () => {});
    onTestFinished(() => void socket.destroy());
    await once(socket, 'connect');
    return socket;
  };
  /** Waits until this many were answered, and then whether more are. */
  const settle = async (count: number): Promise<void> => {
    while (answered.length < count) await iteration();
    for (let left = 100; left > 0; left -= 1) await iteration();
  };
  return { open, answered, settle, clock, log, delays: () => delays };
}

/** Sends the next request with each answer, as long as the connection is open. */
function flood(socket: Socket): void {
  socket.on('data', () => socket.write(get)).write(get);
}

it('requests on kept connections are answered at a rate, and the first of a connection at once', async () => {
  const { open, answered, settle, clock, log, delays } = await start({ keptRequests: { rate: 4, burst: 8 } });
  for (let count = 0; count < 5; count += 1) flood(await open('127.0.0.2'));
  await settle(5 + 6);
  expect(answered, 'the first of each, and three quarters of the burst').toHaveLength(5 + 6);
  const probe = await open('127.0.0.2');
  probe.write(get);
  await once(probe, 'data');
  const other = await open('127.0.0.3');
  for (let count = 0; count < 2; count += 1) {
    other.write(get);
    await once(other, 'data');
  }
  expect(answered.slice(11)).toEqual(['127.0.0.2', '127.0.0.3', '127.0.0.3']);
  clock.advance(1_000);
  await settle(14 + 3);
  expect(answered).toHaveLength(14 + 3);
  expect(delays()).toBeGreaterThan(0);
  expect(log.lines.filter(({ message }) => message.includes('kept open wait'))).toHaveLength(1);
});

it('a connection whose request waits makes room for a new one, and its request is forgotten', async () => {
  const { open, answered, settle, clock } = await start({ keptRequests: { rate: 1, burst: 1 }, maxConnections: 4 });
  const waiting = [await open('127.0.0.2'), await open('127.0.0.3'), await open('127.0.0.4'), await open('127.0.0.5')];
  for (const socket of waiting) socket.write(get.repeat(4));
  await settle(4 + 1);
  const closed = Promise.race(waiting.map((socket) => new Promise((resolve) => socket.resume().on('close', resolve))));
  const probe = await open();
  probe.write(get);
  await once(probe, 'data');
  await closed;
  expect(answered).toHaveLength(6);
  clock.advance(1_000);
  await settle(7);
  expect(answered).toHaveLength(7);
});

it('without a rate all are answered', async () => {
  const { open, answered } = await start({ keptRequests: undefined });
  flood(await open());
  while (answered.length < 2_000) await iteration();
});
