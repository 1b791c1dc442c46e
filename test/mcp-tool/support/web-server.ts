import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import { close, listen } from '../../../src/net/listener/http-listener.ts';

/** A web server on loopback that records requests. */
export interface RecordingServer {
  readonly port: number;
  /** Requested paths, in order. */
  readonly requestedPaths: readonly string[];
  /** Resolves with the first request for a path, past or future. */
  firstRequest(path: string): Promise<IncomingMessage>;
  stop(): Promise<void>;
}

/** @param host an address of 127.0.0.0/8, so that several servers may share a port */
export async function startWebServer(handle: RequestListener, host = '127.0.0.1', port = 0): Promise<RecordingServer> {
  const requestedPaths: string[] = [];
  const requests = new Map<string, PromiseWithResolvers<IncomingMessage>>();
  const firstRequest = (path: string): PromiseWithResolvers<IncomingMessage> => {
    const known = requests.get(path) ?? Promise.withResolvers<IncomingMessage>();
    requests.set(path, known);
    return known;
  };
  const server = createServer((request, response) => {
    const path = request.url ?? '';
    requestedPaths.push(path);
    firstRequest(path).resolve(request);
    handle(request, response);
  });
  const bound = await listen(server, { host, port });
  return {
    port: bound.port,
    requestedPaths,
    firstRequest: (path) => firstRequest(path).promise,
    stop: () => close(server),
  };
}
