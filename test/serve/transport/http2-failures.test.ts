import { connect, type Socket } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import type { AdsStream } from '../../support/nodes/ads-client.ts';
import { type ServedWorld, startServedWorld } from '../../support/worlds/served-world.ts';

const preface = Buffer.concat([Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), frame(4, 0, '')]);

/** @param payload hexadecimal */
function frame(type: number, stream: number, payload: string, flags = 0): Buffer {
  const bytes = Buffer.from(payload, 'hex');
  const head = Buffer.alloc(9);
  head.writeUIntBE(bytes.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, bytes]);
}

/** Sends bytes on a connection of its own, and settles when it is closed. */
async function send(world: ServedWorld, bytes: Buffer, leaves = false): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const socket: Socket = connect(Number(world.address.split(':')[1]), '127.0.0.1', () => {
    socket.write(Buffer.concat([preface, bytes]));
    if (leaves) socket.end();
  });
  onTestFinished(() => void socket.destroy());
  socket.on('error', () => {}).on('close', () => resolve());
  socket.resume();
  await promise;
}

const failures = (world: ServedWorld, reason?: string): number =>
  world.counters.total('gatehouse_xds_connections_failed_total', reason === undefined ? {} : { reason });

async function neighbourIsServed(world: ServedWorld, neighbour: AdsStream): Promise<void> {
  world.put('a/1');
  expect((await neighbour.accept()).names).toEqual(['a/1']);
}

it.each<[string, Buffer, string]>([
  ['data of no stream', frame(0, 0, '00'), 'protocol'],
  ['a stream with the number of a server', frame(1, 2, '82', 4), 'protocol'],
  ['a continuation of nothing', frame(9, 1, '82', 4), 'protocol'],
  ['data of a stream that was never open', frame(0, 1, '00'), 'protocol'],
  ['headers that cannot be decompressed', frame(1, 1, 'ffffffffff', 4), 'protocol'],
  ['settings without an end', frame(4, 0, '000300000064'.repeat(100)), 'protocol'],
  [
    'pings whose answers nobody reads',
    Buffer.concat(Array.from({ length: 3_000 }, () => frame(6, 0, '00'.repeat(8)))),
    'flood',
  ],
  ['settings of a length that none have', frame(4, 0, '00'), 'protocol'],
  ['a setting with a value that is none', frame(4, 0, '000500000001'), 'protocol'],
  ['a frame that is too large', frame(0, 1, '00'.repeat(20_000)), 'protocol'],
  ['a window that overflows', frame(8, 0, '7fffffff'), 'protocol'],
  ['a ping that is too short', frame(6, 0, '00'), 'protocol'],
  ['an error that the client tells of', frame(7, 0, '0000000000000001'), 'goaway'],
])('a connection that ends because of %s is counted, and logged once', async (_, bytes, reason) => {
  const world = await startServedWorld();
  const neighbour = await world.following();
  await send(world, bytes);
  expect({ all: failures(world), ofReason: failures(world, reason) }).toEqual({ all: 1, ofReason: 1 });
  await send(world, bytes);
  expect(failures(world)).toBe(2);
  const lines = world.log.lines.filter(({ message }) => message.includes('errors of HTTP/2'));
  expect(lines).toHaveLength(1);
  await neighbourIsServed(world, neighbour);
});

it('a client that leaves, or says that it will, is none that fails', async () => {
  const world = await startServedWorld();
  await send(world, Buffer.alloc(0), true);
  await send(world, frame(7, 0, '0000000000000000'), true);
  expect(failures(world)).toBe(0);
  expect(world.log.lines.filter(({ message }) => message.includes('errors of HTTP/2'))).toEqual([]);
});
