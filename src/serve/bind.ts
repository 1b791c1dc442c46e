import { logVerbosity, type Server, ServerCredentials, setLogVerbosity } from '@grpc/grpc-js';

export interface Listen {
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
}

/** More than it takes to close connections by force. */
const CLOSING_MILLISECONDS = 100;

/** Binds a port in plaintext; `whom` says in the error who would have connected there. */
export function bind(server: Server, { host, port }: Listen, whom: string): Promise<Listen> {
  const address = addressOf({ host, port });
  // What the library would print beside it, it also says in the error.
  setLogVerbosity(logVerbosity.NONE);
  return new Promise((resolve, reject) => {
    server.bindAsync(address, ServerCredentials.createInsecure(), (error, bound) => {
      if (error === null) resolve({ host, port: bound });
      else reject(new Error(`cannot listen for ${whom} on ${address}: ${error.message}`, { cause: error }));
    });
  });
}

/**
 * Stops listening and closes each connection once no stream is left on it, by force when the grace time is over.
 *
 * @param bound what `bind` answered; without it nothing ever listened
 * @param grace milliseconds
 */
export function unbind(server: Server, bound: Listen | undefined, grace: number): Promise<void> {
  // Not `forceShutdown`: in grpc-js 1.14 it knows of no connection when channelz is off. To be called before
  // `tryShutdown`, for it passes over connections that are being closed already.
  if (bound !== undefined) server.drain(addressOf(bound), grace);
  return new Promise((resolve) => {
    // `tryShutdown` waits for ever for a connection that was destroyed and is not closed yet, such as one that spoke no
    // HTTP/2 a moment ago. When the grace time is over nothing is left to wait for.
    const giveUp = setTimeout(resolve, grace + CLOSING_MILLISECONDS);
    server.tryShutdown(() => {
      clearTimeout(giveUp);
      resolve();
    });
  });
}

function addressOf({ host, port }: Listen): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}
