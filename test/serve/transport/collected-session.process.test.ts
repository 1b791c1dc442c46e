import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Worker } from 'node:worker_threads';
import { expect, it, onTestFinished } from 'vitest';
import { firstWords } from '../../support/nodes/raw-socket-node.ts';
import { targetType } from '../../support/worlds/hand-made-world.ts';
import { gatewayNode as node, startServedWorld } from '../../support/worlds/served-world.ts';

/**
 * Clients in a thread of their own, so that the server finds the bytes of all in one iteration of its event loop, in the
 * order in which they came: at a message, each sends HEADERS that go on without an end, and then a last one a letter, at
 * which the server collects garbage.
 */
const clients = `
const { connect } = require('node:net');
const { parentPort, workerData: { port, garbage, words, endless } } = require('node:worker_threads');
const open = (at) => connect(at, '127.0.0.1').on('error', () => {}).resume();
const sockets = Array.from({ length: 8 }, () => open(port));
const last = open(garbage);
for (const socket of sockets) socket.write(words);
parentPort.once('message', (done) => {
  let left = sockets.length;
  for (const socket of sockets) socket.write(endless, () => {
    left -= 1;
    if (left === 0) last.write('x', () => Atomics.notify(done, 0, Atomics.add(done, 0, 1) + 1));
  });
});
`;

/** HEADERS of a stream with more fields than Node keeps, in more CONTINUATION frames than nghttp2 reads. */
function headersWithoutEnd(): Buffer {
  const headers = 1;
  const continuation = 9;
  const fields = Buffer.alloc(1_000, Buffer.from([0x40, 1, 0x61, 1, 0x62]));
  const frame = (type: number, payload: Buffer): Buffer =>
    Buffer.concat([Buffer.from([0, payload.length >> 8, payload.length & 255, type, 0, 0, 0, 0, 3]), payload]);
  return Buffer.concat([
    frame(headers, Buffer.alloc(0)),
    ...Array.from({ length: 20 }, () => frame(continuation, fields)),
  ]);
}

it('a connection that ends among the headers of a stream may be collected before that stream', async () => {
  const world = await startServedWorld();
  setFlagsFromString('--expose-gc');
  const collect: unknown = runInNewContext('gc');
  let collections = 0;
  const garbage = createServer((socket) =>
    socket.on('data', () => {
      collections += 1;
      if (typeof collect === 'function') collect();
    }),
  ).listen(0, '127.0.0.1');
  onTestFinished(() => void garbage.close());
  await once(garbage, 'listening');
  const bound = garbage.address();
  const workerData = {
    port: Number(world.address.split(':')[1]),
    garbage: typeof bound === 'object' ? bound?.port : undefined,
    words: firstWords({ node, typeUrl: targetType }),
    endless: headersWithoutEnd(),
  };
  for (let round = 1; round <= 5; round += 1) {
    const worker = new Worker(clients, { eval: true, workerData });
    while (world.counters.level('gatehouse_xds_nodes') < 8) await pause(5);
    const done = new Int32Array(new SharedArrayBuffer(4));
    worker.postMessage(done);
    Atomics.wait(done, 0, 0, 5_000);
    while (world.counters.level('gatehouse_xds_nodes') > 0 || collections < round) await pause(5);
    await worker.terminate();
  }
  expect(world.counters.total('gatehouse_xds_connections_failed_total')).toBe(40);
});
