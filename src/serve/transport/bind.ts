import { logVerbosity, type Server, ServerCredentials, setLogVerbosity } from '@grpc/grpc-js';
import { formatHostPort, type HostPort } from '../../net/host-port.ts';
import { ListenError } from '../../net/http-listener.ts';

/** Milliseconds that closing connections by force may take. */
const forcedClose = 100;

/**
 * Binds an address in plaintext. Returns it with the port that was chosen for 0.
 *
 * @throws ListenError
 */
export function bind(server: Server, at: HostPort): Promise<HostPort> {
  // grpc-js prints what it also puts into the error.
  setLogVerbosity(logVerbosity.NONE);
  return new Promise((resolve, reject) => {
    server.bindAsync(formatHostPort(at), ServerCredentials.createInsecure(), (error, port) => {
      if (error === null) resolve({ host: at.host, port });
      else reject(new ListenError(at, undefined, error));
    });
  });
}

/**
 * Stops listening and closes each connection, by force when streams are left on it.
 *
 * @param bound what `bind` returned
 */
export function unbind(server: Server, bound: HostPort): Promise<void> {
  // Not `forceShutdown`: in grpc-js 1.14 it finds no connection when channelz is off. Before `tryShutdown`, since
  // `drain` passes over connections that are being closed already.
  server.drain(formatHostPort(bound), 0);
  return settled([shutDown(server)], 0);
}

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
