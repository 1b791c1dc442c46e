import { connect, createServer, type Socket } from 'node:net';

/** A TCP proxy that can stop forwarding without closing its connections (half-open connections). */
export interface HalfOpen {
  /** The address to connect to. */
  readonly address: string;
  /** Drops all data in both directions, without FIN or RST. */
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
