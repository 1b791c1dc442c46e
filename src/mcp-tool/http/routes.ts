import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { NodeMcpRequestHandler } from '@modelcontextprotocol/node';
import type { Logger } from '../../edges.ts';
import { acceptedTypes } from '../../net/accept.ts';
import { isLoopback, isLoopbackAuthority, isLoopbackOrigin } from '../../net/loopback.ts';
import type { RequestBodies } from './request-body.ts';
import type { SseSessions } from './sse-sessions.ts';
import { respondWithText } from './text-response.ts';

/** The request handlers of both transports. */
export interface TransportHandlers {
  readonly sse: SseSessions;
  /** Streamable HTTP. Handles every method itself. */
  readonly streamable: NodeMcpRequestHandler;
  readonly bodies: RequestBodies;
}

type Handler = (request: IncomingMessage, response: ServerResponse, query: URLSearchParams) => Promise<void> | void;

interface Route {
  /** undefined: every method, checked by the handler. */
  readonly method: 'GET' | 'POST' | undefined;
  readonly handle: Handler;
}

/**
 * Creates the listener for all paths of the server. Protects against requests from web pages: the `Origin` must be
 * loopback or absent, and on a loopback listener the `Host` must be loopback or one of `allowedHosts` (DNS rebinding).
 *
 * @param bound `host` is the address that the server is bound to
 */
export function createRequestListener(
  { sse, streamable, bodies }: TransportHandlers,
  bound: { readonly host: string; readonly allowedHosts: readonly string[] },
  log: Logger,
): RequestListener {
  const isAllowedHost = hostCheck(bound.host, bound.allowedHosts);
  const mcp: Route = {
    method: undefined,
    async handle(request, response) {
      if (!hasRequestLine(request)) return;
      request.headers.accept = acceptedTypes(request.headers.accept);
      if (request.method !== 'POST') return streamable(request, response);
      const body = await bodies.read(request);
      if (body.kind === 'refused') return respondWithText(response, body.status, body.message);
      await streamable(request, response, body.value).finally(body.release);
    },
  };
  const messages: Route = { method: 'POST', handle: sse.receive };
  const routes: ReadonlyMap<string, Route> = new Map<string, Route>([
    ['/mcp', mcp],
    ['/mcp/', mcp],
    ['/sse', { method: 'GET', handle: (_, response) => sse.open(response) }],
    ['/messages', messages],
    ['/messages/', messages],
    ['/healthz', { method: 'GET', handle: (_, response) => respondWithText(response, 200, 'ok\n') }],
  ]);
  return (request, response) => {
    const { host, origin } = request.headers;
    if (!isAllowedHost(host)) return respondWithText(response, 403, 'This Host is not allowed');
    if (origin !== undefined && !isLoopbackOrigin(origin)) {
      return respondWithText(response, 403, 'This Origin is not allowed');
    }
    dispatch(routes, request, response).catch((error: unknown) => {
      log.error('request failed', { error });
      respondWithText(response, 500, 'Internal error');
    });
  };
}

async function dispatch(
  routes: ReadonlyMap<string, Route>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const [path = '/', query] = (request.url ?? '/').split('?', 2);
  const route = routes.get(path);
  if (route === undefined) return respondWithText(response, 404, 'Not found; try /mcp or /sse');
  if (route.method !== undefined && route.method !== request.method) {
    return respondWithText(response, 405, `Only ${route.method}`, { allow: route.method });
  }
  await route.handle(request, response, new URLSearchParams(query));
}

/** Returns the check of the `Host` header for a listener on this address. */
function hostCheck(bound: string, allowedHosts: readonly string[]): (header: string | undefined) => boolean {
  if (!isLoopback(bound)) return () => true;
  const allowed: ReadonlySet<string> = new Set(allowedHosts.map((name) => name.toLowerCase()));
  return (header) => isLoopbackAuthority(header) || allowed.has((header ?? '').toLowerCase().replace(/:\d+$/, ''));
}

/**
 * Narrows the type: Node's covers responses as well, which have neither field. Requests to a server always have both.
 */
function hasRequestLine(request: IncomingMessage): request is IncomingMessage & { method: string; url: string } {
  return request.method !== undefined && request.url !== undefined;
}
