import { logVerbosity, type Server, ServerCredentials, setLogVerbosity } from '@grpc/grpc-js';

export interface Listen {
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
}

/** Binds a port in plaintext; `whom` says in the error who would have connected there. */
export function bind(server: Server, { host, port }: Listen, whom: string): Promise<Listen> {
  const address = `${host.includes(':') ? `[${host}]` : host}:${port}`;
  // What the library would print beside it, it also says in the error.
  setLogVerbosity(logVerbosity.NONE);
  return new Promise((resolve, reject) => {
    server.bindAsync(address, ServerCredentials.createInsecure(), (error, bound) => {
      if (error === null) resolve({ host, port: bound });
      else reject(new Error(`cannot listen for ${whom} on ${address}: ${error.message}`, { cause: error }));
    });
  });
}
