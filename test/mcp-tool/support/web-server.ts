import { createServer, type IncomingMessage, type RequestListener } from 'node:http';

/** A web server for documents, on loopback. */
export interface Origin {
  readonly port: number;
  /** The paths asked for, in their order. */
  readonly asked: readonly string[];
  /** Settles when a path is asked for, now or later. */
  arrival(path: string): Promise<IncomingMessage>;
  stop(): Promise<void>;
}

/** @param host an address of 127.0.0.0/8: each is a server of its own. */
export async function startOrigin(handle: RequestListener, host = '127.0.0.1', port = 0): Promise<Origin> {
  const asked: string[] = [];
  const arrived = new Map<string, PromiseWithResolvers<IncomingMessage>>();
  const arrival = (path: string): PromiseWithResolvers<IncomingMessage> => {
    const known = arrived.get(path) ?? Promise.withResolvers<IncomingMessage>();
    arrived.set(path, known);
    return known;
  };
  const server = createServer((request, response) => {
    const path = request.url ?? '';
    asked.push(path);
    arrival(path).resolve(request);
    handle(request, response);
  });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject);
  server.listen(port, host, resolve);
  await promise;
  const bound = server.address();
  if (typeof bound !== 'object' || bound === null) throw new Error('a TCP server has a port');
  return {
    port: bound.port,
    asked,
    arrival: (path) => arrival(path).promise,
    stop: () =>
      new Promise((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  };
}
