import { connect, createServer, type Socket } from 'node:net';

/** A way to a server that can be cut without either end being told, as a cable is. */
export interface HalfOpen {
  /** To connect to instead. */
  readonly address: string;
  /** From now on nothing passes in either direction, and no end hears of it. */
  cut(): void;
  close(): void;
}

export async function createHalfOpen(address: string): Promise<HalfOpen> {
  const [host = '', port = ''] = address.split(':');
  const sockets: Socket[] = [];
  const door = createServer((outside) => {
    const inside = connect(Number(port), host);
    sockets.push(inside, outside);
    for (const socket of [inside, outside]) socket.on('error', () => {});
    inside.pipe(outside).pipe(inside);
  });
  const { promise, resolve } = Promise.withResolvers<void>();
  door.listen(0, '127.0.0.1', resolve);
  await promise;
  const bound = door.address();
  return {
    address: `127.0.0.1:${typeof bound === 'object' && bound !== null ? bound.port : 0}`,
    cut() {
      for (const socket of sockets) socket.unpipe().pause();
    },
    close() {
      door.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
