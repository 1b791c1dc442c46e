import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { openGateway } from '../support/worlds/manifests.ts';
import { startWorld } from '../support/worlds/running-world.ts';

const strangers: readonly (readonly [string, string])[] = [
  ['nothing', ''],
  ['HTTP/1.1', 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['half of a preface', 'PRI * HTTP/2.0\r\n'],
  ['TLS', '\u0016\u0003\u0001\u0000\u0005hello'],
];

async function stranger(port: number, says: string): Promise<Socket> {
  const socket = connect(port, '127.0.0.1').on('error', () => undefined);
  await once(socket, 'connect');
  socket.write(says, 'latin1');
  return socket;
}

describe.each(strangers)('a client of a gRPC port that sends %s', (_, says) => {
  it('does not delay the stop in any state of its connection', { timeout: 15_000 }, async () => {
    for (const turns of [0, 1, 2, 3, 4, 5]) {
      const world = await startWorld({ 'gw.yaml': openGateway });
      const { xds, admin } = world.app.listening;
      const sockets = await Promise.all([stranger(xds.port, says), stranger(admin.port, says)]);
      for (let turn = 0; turn < turns; turn += 1) await setImmediate();
      await world.app.stop();
      for (const socket of sockets) socket.destroy();
      await world[Symbol.asyncDispose]();
    }
  });
});

describe('a control plane that has stopped', () => {
  it('accepts no connection on any port', async () => {
    const world = await startWorld({ 'gw.yaml': openGateway });
    await world.app.stop();
    for (const { port } of Object.values(world.app.listening)) {
      const [error] = await once(connect(port, '127.0.0.1'), 'error');
      expect(error).toMatchObject({ code: 'ECONNREFUSED' });
    }
    await world[Symbol.asyncDispose]();
  });
});
