import { setTimeout as pause } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it } from 'vitest';
import { anotherStream, createRawSocketNode, firstWords } from '../../support/nodes/raw-socket-node.ts';
import { targetType } from '../../support/worlds/hand-made-world.ts';
import { gatewayNode as node, startServedWorld } from '../../support/worlds/served-world.ts';

/** RST_STREAM with CANCEL (RFC 9113, section 6.4). */
function resetOf(id: number): Buffer {
  const frame = Buffer.from([0, 0, 4, 3, 0, 0, 0, 0, 0, 0, 0, 0, 8]);
  frame.writeUInt32BE(id, 5);
  return frame;
}

it('connections that open streams and reset them at once are closed, and the process lives on', async () => {
  const world = await startServedWorld();
  const words = firstWords({ node, typeUrl: targetType });
  const flood = Buffer.concat(
    Array.from({ length: 5_000 }, (_, index) => [anotherStream(3 + 2 * index), resetOf(3 + 2 * index)]).flat(),
  );
  setFlagsFromString('--expose-gc');
  const collect: unknown = runInNewContext('gc');
  for (let round = 0; round < 3; round += 1) {
    const port = Number(world.address.split(':')[1]);
    const sockets = Array.from({ length: 20 }, () => createRawSocketNode(port, words));
    await pause(100);
    for (const socket of sockets) socket.write(flood);
    await pause(500);
    for (const socket of sockets) socket.destroy();
    while (world.counters.level('gatehouse_xds_streams') > 0) await pause(10);
    if (typeof collect === 'function') collect();
  }
  expect(world.counters.total('gatehouse_xds_connections_closed_total')).toBeGreaterThan(0);
});
