import { setImmediate as turn } from 'node:timers/promises';
import { connect } from 'node:tls';
import { expect, it, onTestFinished } from 'vitest';
import { firstWords } from '../support/nodes/raw-socket-node.ts';
import { targetType } from '../support/worlds/hand-made-world.ts';
import { gatewayNode as node } from '../support/worlds/served-world.ts';
import { startTlsWorld } from '../support/worlds/tls-world.ts';

const nodes = 1_000;

it('a certificate that is swapped under a thousand connected nodes drops no stream', { timeout: 180_000 }, async () => {
  const { world, port, authority, rotate } = await startTlsWorld({ maxConnections: 4 * nodes });
  const words = firstWords({ node, typeUrl: targetType });
  let closed = 0;
  for (let number = 0; number < nodes; number += 1) {
    const socket = connect({ port, host: 'localhost', ca: authority.cert, ALPNProtocols: ['h2'] });
    onTestFinished(() => void socket.destroy());
    socket
      .on('error', () => {})
      .on('close', () => {
        closed += 1;
      });
    socket.resume().write(words);
    // A client that opens a thousand sockets in one turn would be its own storm.
    if (number % 20 === 0) await turn();
  }
  while (world.counters.level('gatehouse_xds_nodes') < nodes) await turn();
  await rotate(authority.issue({ names: ['renewed', 'localhost'] }));
  await rotate({ cert: authority.issue().cert, key: authority.issue().key });
  const ended = world.counters.total('gatehouse_xds_streams_ended_total');
  expect({ ended, closed, nodes: world.counters.level('gatehouse_xds_nodes') }).toEqual({ ended: 0, closed: 0, nodes });
});
