import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { StopAsync } from '../edges.ts';

/** What a path answers. */
export interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

/** Answers GET requests of one path. */
export type Route = (query: URLSearchParams) => Answer | Promise<Answer>;

export interface HttpListener {
  /** Where it really listens; `port` was chosen by the system when 0 was asked for. */
  readonly host: string;
  readonly port: number;
  readonly stop: StopAsync;
}

const seconds = 1_000;

/** An answer in JSON. */
export function json(value: unknown, pretty: boolean, status = 200): Answer {
  return { status, type: 'application/json; charset=utf-8', body: `${JSON.stringify(value, null, pretty ? 2 : 0)}\n` };
}

/** An answer in plain text. */
export function plainText(body: string, status = 200): Answer {
  return { status, type: 'text/plain; charset=utf-8', body };
}

/**
 * Answers GET and HEAD, reads no bodies, changes nothing. On loopback it refuses a `Host` that is not loopback: a page
 * in a browser must not reach it under a name that was rebound to 127.0.0.1.
 */
export async function listenHttp(
  listen: { readonly host: string; readonly port: number },
  routes: ReadonlyMap<string, Route>,
  failed: (error: unknown) => void,
): Promise<HttpListener> {
  const loopback = isLoopback(listen.host);
  const server = createServer((request, response) => {
    respond(request, routes, loopback)
      .catch((error: unknown) => {
        failed(error);
        return plainText('internal error\n', 500);
      })
      .then((answer) => send(request, response, answer))
      .catch(failed);
  });
  server.headersTimeout = 10 * seconds;
  server.requestTimeout = 30 * seconds;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject);
  server.listen(listen.port, listen.host, resolve);
  await promise;
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : listen.port;
  return {
    host: listen.host,
    port,
    stop: () =>
      new Promise((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  };
}

async function respond(
  request: IncomingMessage,
  routes: ReadonlyMap<string, Route>,
  loopback: boolean,
): Promise<Answer> {
  if (loopback && !isLoopback(hostOf(request.headers.host ?? ''))) {
    return plainText('this listener answers loopback host names only\n', 403);
  }
  if (request.method !== 'GET' && request.method !== 'HEAD') return plainText('only GET\n', 405);
  const [path = '/', query] = (request.url ?? '/').split('?', 2);
  const route = routes.get(path);
  if (route === undefined) return plainText(`nothing here; try ${[...routes.keys()].join(', ')}\n`, 404);
  return route(new URLSearchParams(query));
}

function send(request: IncomingMessage, response: ServerResponse, answer: Answer): void {
  response.writeHead(answer.status, {
    'content-type': answer.type,
    'content-length': Buffer.byteLength(answer.body),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    ...(answer.status === 405 && { allow: 'GET, HEAD' }),
  });
  response.end(request.method === 'HEAD' ? undefined : answer.body);
}

/** The host of a `Host` header: without the port, IPv6 without brackets. */
function hostOf(header: string): string {
  return /^\[(?<six>[^\]]*)\]/.exec(header)?.groups?.['six'] ?? header.replace(/:\d*$/, '');
}

function isLoopback(host: string): boolean {
  return /^(localhost|127(\.\d{1,3}){3}|::1)$/i.test(host.replace(/\.$/, ''));
}
