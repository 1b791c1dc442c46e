import { setTimeout as pause } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { expect, it, onTestFinished } from 'vitest';
import { firstWords } from '../../support/nodes/raw-socket-node.ts';
import { targetType } from '../../support/worlds/hand-made-world.ts';
import { gatewayNode as node, startServedWorld } from '../../support/worlds/served-world.ts';

/**
 * Clients in a thread of their own, so that bytes arrive while the server is busy: each sends its first words, and at
 * a message HEADERS for an even stream, which only a server may open (RFC 9113, section 5.1.1), and then goes on.
 */
const clients = `
const { connect } = require('node:net');
const { parentPort, workerData: { port, words } } = require('node:worker_threads');
const sockets = Array.from({ length: 200 }, () => connect(port, '127.0.0.1').on('error', () => {}).resume());
for (const socket of sockets) socket.write(words);
parentPort.once('message', () => {
  const malformed = Buffer.concat([Buffer.from([0, 0, 1, 1, 4, 0, 0, 0, 2, 0x82]), Buffer.alloc(2000, 'A')]);
  for (const socket of sockets) socket.write(malformed);
  let left = 60;
  const timer = setInterval(() => {
    for (const socket of sockets) if (socket.writable) socket.write(Buffer.alloc(997, 'B'));
    left -= 1;
    if (left > 0) return;
    clearInterval(timer);
    for (const socket of sockets) socket.destroy();
    parentPort.postMessage('gone');
  }, 3);
});
`;

it('a connection that goes on after a protocol error, while its teardown waits, ends nothing but itself', async () => {
  const world = await startServedWorld();
  const words = firstWords({ node, typeUrl: targetType });
  const port = Number(world.address.split(':')[1]);
  for (let round = 0; round < 8; round += 1) {
    const worker = new Worker(clients, { eval: true, workerData: { port, words } });
    onTestFinished(async () => void (await worker.terminate()));
    while (world.counters.level('gatehouse_xds_nodes') < 200) await pause(5);
    const gone = new Promise((resolve) => worker.once('message', resolve));
    worker.postMessage('go');
    await gone;
    while (world.counters.level('gatehouse_xds_nodes') > 0) await pause(5);
  }
  const other = await world.following();
  world.put('a/last');
  expect((await other.accept()).names).toEqual(['a/last']);
});
