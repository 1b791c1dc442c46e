import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { connect, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type EventStream, type EventStreamLimits, EventStreams } from '../../src/net/event-streams.ts';
import { close, listen } from '../../src/net/listener/http-listener.ts';
import { createManualClock, type ManualClock } from '../support/edges/manual-clock.ts';

const mebibyte = 1024 * 1024;

/** More than the buffers of both ends of a connection hold. */
const large = 24 * mebibyte;

let clock: ManualClock;
let cuts: { readonly reason: string; readonly unread: number }[];
let server: Server;
let port: number;
let streams: EventStreams;
const sockets: Socket[] = [];
let accepted: ((client: OpenStream) => void)[];

/** A stream, as the server has it. */
interface OpenStream {
  readonly stream: EventStream;
  readonly closed: Promise<void>;
}

beforeEach(async () => {
  clock = createManualClock();
  cuts = [];
  accepted = [];
  useLimits({ maxUnread: 64 * mebibyte, share: 1 / 2 });
  server = createServer((request, response) => {
    const { promise: closed, resolve } = Promise.withResolvers<void>();
    const caller = request.url ?? '';
    accepted.shift()?.({ stream: streams.open({ response, caller, closed: resolve }), closed });
  });
  ({ port } = await listen(server, { host: '127.0.0.1', port: 0 }));
});

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await close(server);
});

function useLimits(limits: EventStreamLimits): void {
  streams = new EventStreams({ limits, clock, cut: (reason, unread) => void cuts.push({ reason, unread }) });
}

/** Waits until the operating system takes no more of what no client reads. */
async function saturated(): Promise<void> {
  for (let same = 0, last = -1; same < 50; same = streams.unread === last ? same + 1 : 0) {
    last = streams.unread;
    await new Promise(setImmediate);
  }
}

/** Opens a stream of a caller, whose client reads nothing yet. */
async function open(caller: string): Promise<OpenStream & { readonly client: Socket }> {
  const { promise, resolve } = Promise.withResolvers<OpenStream>();
  accepted.push(resolve);
  const client = connect(port, '127.0.0.1').pause();
  sockets.push(client);
  client.on('error', () => {}).write(`GET ${caller} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
  return { client, ...(await promise) };
}

/** Reads at least so many bytes, then pauses. */
async function read(client: Socket, bytes: number): Promise<number> {
  let size = 0;
  while (size < bytes) {
    const chunk: unknown = client.read();
    if (Buffer.isBuffer(chunk)) size += chunk.length;
    else if (client.destroyed) throw new Error(`closed after ${size} bytes`);
    else await new Promise(setImmediate);
  }
  return size;
}

describe('a client that reads slowly', () => {
  it('gets one large message whole, however long it takes, also after the end of the stream', async () => {
    const { client, stream, closed } = await open('/a');
    stream.write(`data: ${'x'.repeat(large)}\n\n`);
    stream.end();
    let size = 0;
    let steps = 0;
    for (; size < large; steps += 1) {
      size += await read(client, Math.min(mebibyte / 2, large - size));
      clock.advance(30_000);
    }
    client.resume();
    await closed;
    expect(cuts).toEqual([]);
    // Twice the time after which one that takes nothing is cut.
    expect(steps).toBeGreaterThan(40);
  });
});

describe('a client that takes nothing', () => {
  it('is cut after ten minutes', async () => {
    const { stream, closed } = await open('/a');
    stream.write('x'.repeat(large));
    await saturated();
    clock.advance(599_000);
    expect(cuts).toEqual([]);
    clock.advance(16_000);
    await closed;
    expect(cuts).toEqual([{ reason: 'stalled', unread: expect.any(Number) }]);
    expect(clock.waiting()).toEqual([]);
  });

  it('is cut after the end of its stream, too', async () => {
    const { stream, closed } = await open('/a');
    stream.write('x'.repeat(large));
    stream.end();
    await saturated();
    clock.advance(615_000);
    await closed;
    expect(cuts.map(({ reason }) => reason)).toEqual(['stalled']);
  });

  it('gets no comments meanwhile, and one without anything unread does', async () => {
    const { client, stream } = await open('/a');
    clock.advance(15_000);
    await read(client, 1);
    stream.write('x'.repeat(large));
    clock.advance(60_000);
    let seen = '';
    client.setEncoding('latin1').on('data', (text: string) => {
      seen += text;
    });
    client.resume();
    while (seen.length < large) await once(client, 'data');
    expect(seen).not.toContain('keep-alive');
    clock.advance(15_000);
    while (!seen.includes(': keep-alive')) await once(client, 'data');
    expect(cuts).toEqual([]);
  });
});

describe('a message in many pieces', () => {
  it('is copied a few of them in a turn, counts at once, and arrives whole before the end', async () => {
    useLimits({ maxUnread: 64 * mebibyte, share: 1 });
    const { client, stream, closed } = await open('/a');
    const pieces = Array.from({ length: 20 }, (_, index) => String.fromCharCode(97 + index).repeat(mebibyte / 4));
    const before = process.memoryUsage().arrayBuffers;
    stream.write(pieces);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 * mebibyte);
    expect(streams.unread).toBeGreaterThan(5 * mebibyte);
    stream.write('last');
    stream.end();
    let got = '';
    client.setEncoding('latin1').on('data', (text: string) => {
      got += text;
    });
    client.resume();
    while (!got.endsWith('0\r\n\r\n')) await once(client, 'data');
    await closed;
    const body = got.replaceAll(/\r\n[0-9a-f]+\r\n/g, '');
    expect(body).toContain(`${pieces.join('')}last`);
    expect(streams.unread).toBe(0);
  });

  it('is dropped with its stream', async () => {
    useLimits({ maxUnread: 64 * mebibyte, share: 1 });
    const { client, stream, closed } = await open('/a');
    stream.write(Array.from({ length: 32 }, () => 'x'.repeat(mebibyte)));
    client.destroy();
    await closed;
    expect(streams.unread).toBe(0);
  });
});

describe('the bytes of all streams', () => {
  it('when they are too many, the one that holds most of those that take nothing is cut, and not one that reads', async () => {
    useLimits({ maxUnread: 64 * mebibyte, share: 1 });
    const reading = await open('/reading');
    const [small, big] = [await open('/small'), await open('/big')];
    small.stream.write('x'.repeat(16 * mebibyte));
    big.stream.write('x'.repeat(20 * mebibyte));
    await saturated();
    clock.advance(2_000);
    reading.stream.write('x'.repeat(30 * mebibyte));
    await read(reading.client, mebibyte);
    const other = await open('/other');
    while (cuts.length === 0) other.stream.write('x'.repeat(mebibyte));
    await big.closed;
    expect(cuts.map(({ reason }) => reason)).toEqual(['too much unread']);
    await read(reading.client, 28 * mebibyte);
    expect(cuts).toHaveLength(1);
  });

  it('one caller has a share of them, and what it leaves unread cuts no one else', async () => {
    const other = await open('/other');
    other.stream.write('x'.repeat(16 * mebibyte));
    const own = [];
    for (let opened = 0; opened < 10; opened += 1) {
      const stream = await open('/own');
      own.push(stream);
      stream.stream.write('x'.repeat(16 * mebibyte));
    }
    // Half of 64 MiB is room for two, beside what the operating system has: each other takes the place of one.
    expect(cuts.length).toBeGreaterThanOrEqual(7);
    expect(await read(other.client, 16 * mebibyte)).toBeGreaterThanOrEqual(16 * mebibyte);
  });

  it('small messages count with what they cost in memory', async () => {
    useLimits({ maxUnread: mebibyte, share: 1 });
    const { stream, closed } = await open('/a');
    let written = 0;
    for (; cuts.length === 0; written += 1) stream.write('x');
    await closed;
    expect(written).toBeLessThan(mebibyte / 256 + 2);
  });

  it('are free again when a stream ends in any way', async () => {
    for (let round = 0; round < 6; round += 1) {
      const { client, stream, closed } = await open('/a');
      stream.write('x'.repeat(20 * mebibyte));
      if (round % 2 === 0) client.destroy();
      else {
        stream.end();
        client.resume();
      }
      await closed;
    }
    expect(cuts).toEqual([]);
    expect(clock.waiting()).toEqual([]);
  });
});

describe('the headers of a stream that may wait', () => {
  /** Opens a stream that waits for its first event for five milliseconds, and returns what its client gets. */
  async function openWaiting(): Promise<{
    readonly stream: EventStream;
    readonly got: string[];
    readonly client: Socket;
  }> {
    const { promise, resolve } = Promise.withResolvers<EventStream>();
    server.removeAllListeners('request').once('request', (_, response) => {
      resolve(streams.open({ response, begin: 'id: 0\n\n', wait: 5, caller: 'a', closed: () => {} }));
    });
    const client = connect(port, '127.0.0.1').setEncoding('utf8');
    sockets.push(client);
    client.write('GET /a HTTP/1.1\r\nhost: x\r\n\r\n');
    const got: string[] = [];
    client.on('data', (text: string) => got.push(text));
    return { stream: await promise, got, client };
  }

  it('go out with the first event, in one piece', async () => {
    const { stream, got, client } = await openWaiting();
    stream.write('data: 1\n\n');
    await once(client, 'data');
    expect(got).toHaveLength(1);
    expect(got[0]).toMatch(/^HTTP\/1.1 200 [\s\S]*id: 0\n\n[\s\S]*data: 1\n\n/);
  });

  it('go out without an event when the time is over', async () => {
    const { got, client } = await openWaiting();
    clock.advance(5);
    await once(client, 'data');
    expect(got.join('')).toMatch(/^HTTP\/1.1 200 [\s\S]*id: 0\n\n/);
  });
});
