import { logVerbosity, type Server, ServerCredentials, setLogVerbosity } from '@grpc/grpc-js';
import { formatHostPort, type HostPort } from '../../net/host-port.ts';

/** Milliseconds for connections that are closed by force; it takes less. */
const forcedClose = 100;

/** Binds a port in plaintext, and returns the one that was bound. Rejects with a message that names the address. */
export function bind(server: Server, { host, port }: HostPort): Promise<HostPort> {
  const address = formatHostPort({ host, port });
  // grpc-js prints what it also puts into the error.
  setLogVerbosity(logVerbosity.NONE);
  return new Promise((resolve, reject) => {
    server.bindAsync(address, ServerCredentials.createInsecure(), (error, bound) => {
      if (error === null) resolve({ host, port: bound });
      else reject(new Error(`cannot listen on ${address}: ${error.message}`, { cause: error }));
    });
  });
}

/**
 * Stops listening and closes each connection, by force when streams are left on it.
 *
 * @param bound what `bind` returned
 */
export function unbind(server: Server, bound: HostPort): Promise<void> {
  // Not `forceShutdown`: in grpc-js 1.14 it finds no connection when channelz is off. Before `tryShutdown`, since `drain`
  // passes over connections that are being closed already.
  server.drain(formatHostPort(bound), 0);
  return settled([shutDown(server)], 0);
}

/** Resolves when every listener of a gRPC server is closed. Call it after its connections were told to end. */
export function shutDown(server: Server): Promise<void> {
  return new Promise((resolve) => server.tryShutdown(() => resolve()));
}

/**
 * Resolves when everything is closed, or a moment after the grace time: grpc-js waits without end for a connection that was
 * destroyed and is not closed yet, such as one that spoke no HTTP/2 a moment ago.
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
