import type { Server } from '@grpc/grpc-js';

/** Milliseconds that closing connections by force may take. */
const forcedClose = 100;

/** Resolves when every listener of a gRPC server is closed. Call it after `drain` of its connections. */
export function shutDown(server: Server): Promise<void> {
  return new Promise((resolve) => server.tryShutdown(() => resolve()));
}

/**
 * Resolves when everything is closed, or 100 ms after the grace time: grpc-js waits without end for a connection that
 * was destroyed and is not closed yet, such as one that has just sent bytes that are no HTTP/2.
 *
 * @param grace milliseconds
 */
export function settled(closing: readonly Promise<void>[], grace: number): Promise<void> {
  return new Promise((resolve) => {
    const giveUp = setTimeout(resolve, grace + forcedClose);
    void Promise.all(closing).then(() => {
      clearTimeout(giveUp);
      resolve();
    });
  });
}
