import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { StopAsync } from '../edges.ts';
import { onlyForLoopbackHosts } from '../net/host-guard.ts';
import type { HostPort } from '../net/host-port.ts';
import { type LimitedListenerParts, openLimitedListener } from '../net/limited-listener.ts';
import { isLoopback } from '../net/loopback.ts';

/** A response to GET. */
export interface HttpResponse {
  readonly status: number;
  /** The `Content-Type`. */
  readonly type: string;
  readonly body: string;
}

/** Handles GET and HEAD requests of one path. */
export type Route = (query: URLSearchParams) => HttpResponse | Promise<HttpResponse>;

/** A running listener that serves routes. */
export interface RouteServer {
  /** The bound address. */
  readonly address: HostPort;
  readonly stop: StopAsync;
}

/** Builds a JSON response. */
export function json(value: unknown, pretty: boolean, status = 200): HttpResponse {
  return { status, type: 'application/json; charset=utf-8', body: `${JSON.stringify(value, null, pretty ? 2 : 0)}\n` };
}

/** Builds a plain-text response. */
export function plainText(body: string, status = 200): HttpResponse {
  return { status, type: 'text/plain; charset=utf-8', body };
}

/** Settings and dependencies of a listener for routes. */
export interface RoutesParts extends LimitedListenerParts {
  /** Called with each error of a route; the client gets status 500. */
  readonly failed: (error: unknown) => void;
}

/**
 * Serves read-only routes. Answers GET and HEAD and reads no request bodies. If the bound address is loopback, a `Host`
 * header that is not loopback gets 403 (protection against DNS rebinding).
 *
 * @param routes by exact path
 * @throws ListenError
 */
export async function serveRoutes(
  at: HostPort,
  routes: ReadonlyMap<string, Route>,
  { failed, ...parts }: RoutesParts,
): Promise<RouteServer> {
  const handle = (request: IncomingMessage, response: ServerResponse): void => {
    respond(request, routes)
      .catch((error: unknown) => {
        failed(error);
        return plainText('internal error\n', 500);
      })
      .then((answer) => send(request, response, answer))
      .catch(failed);
  };
  const handlerFor = ({ host }: HostPort): RequestListener =>
    isLoopback(host) ? onlyForLoopbackHosts(handle) : handle;
  const { address, close } = await openLimitedListener(at, handlerFor, parts);
  return { address, stop: close };
}

async function respond(request: IncomingMessage, routes: ReadonlyMap<string, Route>): Promise<HttpResponse> {
  if (request.method !== 'GET' && request.method !== 'HEAD') return plainText('only GET\n', 405);
  const [path = '/', query] = (request.url ?? '/').split('?', 2);
  const route = routes.get(path);
  if (route === undefined) return plainText(`nothing here; try ${[...routes.keys()].join(', ')}\n`, 404);
  return route(new URLSearchParams(query));
}

function send(request: IncomingMessage, response: ServerResponse, { status, type, body }: HttpResponse): void {
  response.writeHead(status, {
    'content-type': type,
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    ...(status === 405 && { allow: 'GET, HEAD' }),
  });
  response.end(request.method === 'HEAD' ? undefined : body);
}
