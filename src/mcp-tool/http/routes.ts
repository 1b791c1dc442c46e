import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import {
  hostHeaderValidation,
  localhostOriginValidation,
  type NodeMcpRequestHandler,
} from '@modelcontextprotocol/node';
import type { Logger } from '../../edges.ts';
import { isLoopback } from '../fetch/address-policy.ts';
import { answer } from './text-response.ts';
import type { SseSessions } from './sse-sessions.ts';

/** What the paths of the server are served by. */
export interface Routes {
  readonly sse: SseSessions;
  /** Streamable HTTP: POST, and by the specification's rules GET and DELETE. */
  readonly streamable: NodeMcpRequestHandler;
}

/** Says whether a request may be served, and answers it when it may not. */
type Guard = (request: IncomingMessage, response: ServerResponse) => boolean;

type Handle = (request: IncomingMessage, response: ServerResponse, query: URLSearchParams) => Promise<void> | void;

interface Route {
  /** `undefined`: what is served knows its methods itself. */
  readonly method: 'GET' | 'POST' | undefined;
  readonly handle: Handle;
}

/**
 * Every path of the server. A page in a browser gets nowhere: its Origin must be of this machine, and on a loopback
 * `host` so must the name that it calls the server by, or be one of `allowedHosts`, lest a name be rebound to it.
 */
export function createRequestListener(
  { sse, streamable }: Routes,
  { host, allowedHosts }: { readonly host: string; readonly allowedHosts: readonly string[] },
  log: Logger,
): RequestListener {
  const guards: readonly Guard[] = [...hostGuard(host, allowedHosts), localhostOriginValidation()];
  const mcp: Route = {
    method: undefined,
    handle: (request, response) => (isComplete(request) ? streamable(request, response) : undefined),
  };
  const messages: Route = { method: 'POST', handle: sse.post };
  const routes: ReadonlyMap<string, Route> = new Map<string, Route>([
    ['/mcp', mcp],
    ['/mcp/', mcp],
    ['/sse', { method: 'GET', handle: (_, response) => sse.open(response) }],
    ['/messages', messages],
    ['/messages/', messages],
    ['/healthz', { method: 'GET', handle: (_, response) => answer(response, 200, 'ok\n') }],
  ]);
  return (request, response) => {
    if (!guards.every((guard) => guard(request, response))) return;
    serve(routes, request, response).catch((error: unknown) => {
      log.error('request failed', { error });
      answer(response, 500, 'Internal error');
    });
  };
}

async function serve(
  routes: ReadonlyMap<string, Route>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const [path = '/', query] = (request.url ?? '/').split('?', 2);
  const route = routes.get(path);
  if (route === undefined) return answer(response, 404, 'Not found; try /mcp or /sse');
  if (route.method !== undefined && route.method !== request.method) {
    return answer(response, 405, `Only ${route.method}`, { allow: route.method });
  }
  await route.handle(request, response, new URLSearchParams(query));
}

function hostGuard(host: string, allowedHosts: readonly string[]): readonly Guard[] {
  if (!isLoopback(host)) return [];
  const own = host.includes(':') ? `[${host}]` : host;
  return [hostHeaderValidation(['localhost', '127.0.0.1', '[::1]', own, ...allowedHosts])];
}

/** What a server receives always has both; the type also describes what a client receives. */
function isComplete(request: IncomingMessage): request is IncomingMessage & { method: string; url: string } {
  return request.method !== undefined && request.url !== undefined;
}
