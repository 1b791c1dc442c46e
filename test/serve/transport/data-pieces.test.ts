import { setImmediate as iteration } from 'node:timers/promises';
import { beforeEach, expect, it, onTestFinished } from 'vitest';
import type { AdsStream } from '../../support/nodes/ads-client.ts';
import {
  anotherStream,
  createRawSocketNode,
  firstWords,
  frameForEachByte,
} from '../../support/nodes/raw-socket-node.ts';
import { createRawConnection, grpcFrame } from '../../support/nodes/raw-stream.ts';
import { deltaRequest } from '../../support/nodes/requests.ts';
import { targetType } from '../../support/worlds/hand-made-world.ts';
import { gatewayNode as node, type ServedWorld, startServedWorld } from '../../support/worlds/served-world.ts';

let world: ServedWorld;
let neighbour: AdsStream;

beforeEach(async () => {
  world = await startServedWorld();
  neighbour = await world.following();
});

const words = firstWords({ node, typeUrl: targetType });
const mebibyte = 1 << 20;

/** Connects a node whose first request is complete, and returns how it writes. */
async function connected(): Promise<(bytes: Buffer) => void> {
  const socket = createRawSocketNode(Number(world.address.split(':')[1]), words);
  onTestFinished(() => void socket.destroy());
  while (world.counters.level('gatehouse_xds_nodes') < 2) await iteration();
  return (bytes) => void socket.write(bytes);
}

const refused = (): number => world.counters.total('gatehouse_xds_streams_refused_total');

it('G3 a stream whose request comes byte by byte is reset, is logged once, and no neighbour notices', async () => {
  const write = await connected();
  const request = Buffer.concat([grpcFrame(Buffer.alloc(0), 30 * mebibyte), Buffer.alloc(200)]);
  write(frameForEachByte(1, request));
  while (refused() < 1) await iteration();
  for (const id of [3, 5]) write(Buffer.concat([anotherStream(id), frameForEachByte(id, request)]));
  while (refused() < 3) await iteration();
  while (world.counters.level('gatehouse_xds_streams') > 1) await iteration();
  expect(world.log.lines.filter(({ message }) => message.includes('pieces of a few bytes'))).toHaveLength(1);
  world.put('a/1');
  expect((await neighbour.accept()).names).toEqual(['a/1']);
});

it('a stream may send short requests without end, and one request in a few small pieces', async () => {
  const write = await connected();
  write(frameForEachByte(1, grpcFrame(deltaRequest({ typeUrl: targetType })).subarray(0, 60)));
  const connection = createRawConnection(world.address);
  onTestFinished(() => connection.close());
  const stream = connection.open();
  await stream.write(grpcFrame(deltaRequest({ node, typeUrl: targetType })));
  const short = grpcFrame(deltaRequest({ typeUrl: targetType, responseNonce: 'stale' }));
  for (let count = 0; count < 300; count += 1) await stream.write(short);
  await neighbour.silence();
  expect(refused()).toBe(0);
  expect(world.counters.level('gatehouse_xds_nodes')).toBe(3);
});
