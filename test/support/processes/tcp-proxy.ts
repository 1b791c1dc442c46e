import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { Transform } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';

/** A TCP proxy to a local port, with network faults. */
export interface TcpProxy extends AsyncDisposable {
  readonly port: number;
  /** Closes all connections, and refuses new ones until `heal`. */
  cut(): void;
  /** Drops the data of open connections without closing them. New connections are forwarded. */
  freeze(): void;
  /** Delays all data by this many milliseconds, also of open connections; 0: not at all. */
  slow(delay: number): void;
  heal(): void;
}

/** Forwards a free loopback port to another one. */
export async function startTcpProxy(to: number): Promise<TcpProxy> {
  const pairs = new Set<readonly [Socket, Socket]>();
  let broken = false;
  let delay = 0;
  const server = createServer((near) => {
    if (broken) {
      near.resetAndDestroy();
      return;
    }
    const far = connect(to, '127.0.0.1');
    const pair = [near, far] as const;
    pairs.add(pair);
    const delayed = (): Transform => {
      let last = Promise.resolve();
      return new Transform({
        // In order: a chunk waits for the one before it.
        transform(chunk, _encoding, done) {
          if (delay === 0) return done(null, chunk);
          last = last.then(() => pause(delay)).then(() => done(null, chunk));
        },
      });
    };
    near.pipe(delayed()).pipe(far).pipe(delayed()).pipe(near);
    for (const socket of pair) {
      socket.on('error', () => {});
      socket.on('close', () => {
        pairs.delete(pair);
        for (const other of pair) other.destroy();
      });
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const drop = (): void => {
    for (const pair of pairs) for (const socket of pair) socket.resetAndDestroy();
  };
  return {
    port,
    cut: () => {
      broken = true;
      drop();
    },
    freeze: () => {
      for (const pair of pairs) for (const socket of pair) socket.unpipe().pause();
    },
    slow: (milliseconds) => {
      delay = milliseconds;
    },
    heal: () => {
      broken = false;
      delay = 0;
    },
    [Symbol.asyncDispose]: async () => {
      drop();
      server.close();
      await once(server, 'close');
    },
  };
}
