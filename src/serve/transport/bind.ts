import { logVerbosity, type Server, ServerCredentials, setLogVerbosity } from '@grpc/grpc-js';

export interface Listen {
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
}

/** More than it takes to close connections by force. */
const CLOSING_MILLISECONDS = 100;

/** Binds a port in plaintext. */
export function bind(server: Server, { host, port }: Listen): Promise<Listen> {
  const address = addressOf({ host, port });
  // What the library would print beside it, it also says in the error.
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
 * @param bound what `bind` answered
 */
export function unbind(server: Server, bound: Listen): Promise<void> {
  // Not `forceShutdown`: in grpc-js 1.14 it knows of no connection when channelz is off. To be called before
  // `tryShutdown`, for it passes over connections that are being closed already.
  server.drain(addressOf(bound), 0);
  return settled([shutDown(server)], 0);
}

/** Settles when every server of a gRPC server is closed. To be called after its connections were told to end. */
export function shutDown(server: Server): Promise<void> {
  return new Promise((resolve) => server.tryShutdown(() => resolve()));
}

/**
 * Waits for the end of what is closing, but not for long when the grace time is over: grpc-js waits for ever for a
 * connection that was destroyed and is not closed yet, such as one that spoke no HTTP/2 a moment ago.
 *
 * @param grace milliseconds
 */
export function settled(closing: readonly Promise<void>[], grace: number): Promise<void> {
  return new Promise((resolve) => {
    const giveUp = setTimeout(resolve, grace + CLOSING_MILLISECONDS);
    void Promise.all(closing).then(() => {
      clearTimeout(giveUp);
      resolve();
    });
  });
}

function addressOf({ host, port }: Listen): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}
