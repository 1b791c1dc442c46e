import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Clock, StopAsync } from '../edges.ts';
import { parseBoundedJson } from '../json/bounded-json.ts';
import { onlyForLoopbackHosts } from '../net/guard/host-guard.ts';
import { authorize, type GuardedRequest, keepAuthorized, type RequestGuard } from '../net/guard/request-guard.ts';
import type { HostPort } from '../net/host-port.ts';
import { type LimitedListenerParts, openLimitedListener } from '../net/listener/limited-listener.ts';
import { RequestTurns } from '../net/listener/request-turns.ts';
import { isLoopback } from '../net/loopback.ts';
import { LogThrottle } from '../rate/log-throttle.ts';
import { Quota } from '../rate/quota.ts';
import { RateLimiter } from '../rate/rate-limiter.ts';
import type { Pause } from '../rate/turns.ts';

/** A response, whole. */
export interface HttpResponse {
  readonly status: number;
  /** The `Content-Type`. */
  readonly type: string;
  readonly body: string;
  /** Further headers, in lower case. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** Handles GET and HEAD requests of one path. A long answer pauses between its parts. */
type Read = (query: URLSearchParams, pause: Pause) => HttpResponse | Promise<HttpResponse>;

/** Handles requests with a JSON body. */
type Write = (body: unknown, query: URLSearchParams, pause: Pause) => HttpResponse | Promise<HttpResponse>;

/**
 * The methods of one path. `stream` answers GET by itself, with a response that does not end. `probe` answers GET and HEAD
 * without a turn: whether the process is well must be known however many requests wait.
 */
export interface Route {
  readonly probe?: () => HttpResponse;
  readonly get?: Read;
  readonly put?: Write;
  readonly post?: Write;
  readonly stream?: (request: IncomingMessage, response: ServerResponse) => void;
}

/** A running listener that serves routes. */
export interface RouteServer {
  /** The bound address. */
  readonly address: HostPort;
  readonly stop: StopAsync;
}

/** A request that is not answered: the status, and a sentence with the remedy. */
export class RequestError extends Error {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.status = status;
    this.headers = headers;
  }
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
  /** Asked before each request when the bound address is not loopback. Undefined: every client is answered. */
  readonly guard: RequestGuard | undefined;
  /** Called with the HTTP status of each request, or `none` when the client left before it. */
  readonly answered?: (status: string) => void;
  /** Called with each error of a route; the client gets status 500. */
  readonly failed: (error: unknown) => void;
}

/** Bytes of a request body: a question with all claims of a large token. */
const maxBody = 64 * 1024;

/** Structure of a request body. */
const bodyBounds = { maxValues: 5_000, maxDepth: 50 };

/** Bytes of all answers that are being sent: clients that do not read them hold no more memory than this. */
const maxUnsent = 64 * 1024 * 1024;

/**
 * Serves routes. If the bound address is loopback, a `Host` header that is not loopback gets 403 (protection against DNS
 * rebinding); a request with a body from a page of another origin gets 403 on every address. Starts one answer in each
 * iteration of the event loop, so that requests delay other work by one answer only.
 *
 * @param routes by exact path
 * @throws ListenError
 */
export async function serveRoutes(
  at: HostPort,
  routes: ReadonlyMap<string, Route>,
  { failed, guard, ...parts }: RoutesParts,
): Promise<RouteServer> {
  const turns = new RequestTurns(parts.clock);
  const unsent = new Quota(maxUnsent, 1);
  const handle = (request: IncomingMessage, response: ServerResponse): void => {
    const { path, query } = targetOf(request);
    const route = routes.get(path);
    if (route?.stream !== undefined && request.method === 'GET') {
      route.stream(request, response);
      return;
    }
    respond(request, { route, query, known: routes }, turns)
      .catch((error: unknown) => {
        if (error instanceof RequestError) return errorResponse(error);
        failed(error);
        return errorResponse(new RequestError(500, 'internal error: the log has it.'));
      })
      .then((answer) => send(request, response, reserve(unsent, response, answer)))
      .catch(failed);
  };
  const guarded = (request: IncomingMessage, response: ServerResponse): void => {
    if (guard === undefined) handle(request, response);
    else void pass(request, response, { guard, handle, clock: parts.clock }).catch(failed);
  };
  const note = createRequestLog(parts);
  const handlerFor = ({ host }: HostPort): RequestListener => {
    const handler = isLoopback(host) ? onlyForLoopbackHosts(handle, refuseHost) : guarded;
    return (request, response) => {
      note(request, response);
      handler(request, response);
    };
  };
  const { address, close } = await openLimitedListener(at, handlerFor, parts);
  return { address, stop: close };
}

/** Requests that are no reason for a line in the log: people, probes, scrapes, and a script that asks many questions. */
const usual = { rate: 20, burst: 200 };

/** Counts all requests when they are over, and logs once in ten minutes when they are many. */
function createRequestLog({
  listener,
  clock,
  log,
  answered,
}: Pick<RoutesParts, 'listener' | 'clock' | 'log' | 'answered'>): RequestListener {
  const limiter = new RateLimiter(clock, usual);
  const throttle = new LogThrottle(clock, log);
  return ({ socket }, response) => {
    response.once('close', () => answered?.(response.headersSent ? String(response.statusCode) : 'none'));
    if (limiter.tryTake() === 0) return;
    throttle.failed(listener, {
      reason: 'too many requests',
      message: 'many requests arrive at a listener for a few: each takes a turn of the event loop',
      fields: { listener, maxPerSecond: usual.rate, address: socket.remoteAddress },
    });
  };
}

interface Guarded {
  readonly guard: RequestGuard;
  readonly handle: RequestListener;
  readonly clock: Clock;
}

/** Handles a request that the guard lets pass, and closes its connection when the guard would let it pass no longer. */
async function pass(
  request: IncomingMessage,
  response: ServerResponse,
  { guard, handle, clock }: Guarded,
): Promise<void> {
  const asked: GuardedRequest = {
    method: request.method ?? 'GET',
    path: targetOf(request).path,
    authorization: request.headersDistinct['authorization'] ?? [],
    address: request.socket.remoteAddress ?? '',
  };
  const refusal = await authorize(guard, asked);
  // A client that is gone by now would leave nothing that ends the timer.
  if (response.destroyed) return;
  if (refusal === undefined) {
    response.once(
      'close',
      keepAuthorized(guard, asked, clock, () => void response.destroy()),
    );
    handle(request, response);
    return;
  }
  const challenge: Readonly<Record<string, string>> = refusal.status === 401 ? { 'www-authenticate': 'Bearer' } : {};
  send(request, response, errorResponse(new RequestError(refusal.status, refusal.message, challenge)));
}

function refuseHost(_: IncomingMessage, response: ServerResponse, message: string): void {
  const { type, body } = json({ error: message }, false);
  response.writeHead(403, { 'content-type': type, 'x-content-type-options': 'nosniff' }).end(body);
}

function targetOf({ url = '/' }: IncomingMessage): { readonly path: string; readonly query: URLSearchParams } {
  const [path = '/', query] = url.split('?', 2);
  return { path, query: new URLSearchParams(query) };
}

interface Target {
  readonly route: Route | undefined;
  readonly query: URLSearchParams;
  readonly known: ReadonlyMap<string, Route>;
}

async function respond(
  request: IncomingMessage,
  { route, query, known }: Target,
  turns: RequestTurns,
): Promise<HttpResponse> {
  if (route === undefined) {
    // What the page loads is of use to nobody else.
    const paths = [...known.keys()].filter((path) => !path.startsWith('/page/'));
    throw new RequestError(404, `nothing here; try ${paths.join(', ')}.`);
  }
  const { method } = request;
  const { get, probe } = route;
  const isRead = method === 'GET' || method === 'HEAD';
  if (isRead && probe !== undefined) return probe();
  const inTurn = async (task: (pause: Pause) => HttpResponse | Promise<HttpResponse>): Promise<HttpResponse> => {
    const answer = turns.run(request.socket.remoteAddress ?? '', task);
    if (answer === undefined) throw new RequestError(503, tooMany, { 'retry-after': '1' });
    return answer;
  };
  if (isRead && get !== undefined) return inTurn((pause) => get(query, pause));
  const write = method === 'PUT' ? route.put : method === 'POST' ? route.post : undefined;
  if (write === undefined) {
    const allow = methodsOf(route);
    throw new RequestError(405, `only ${allow}.`, { allow });
  }
  refuseOtherOrigins(request);
  // Before its turn: a client that sends slowly takes no turn of others.
  const body = await readJson(request);
  return inTurn((pause) => write(body, query, pause));
}

const tooMany = 'too many requests are being answered: try again.';

function methodsOf(route: Route): string {
  const reads = route.get !== undefined || route.probe !== undefined;
  const methods = [
    ...(reads || route.stream !== undefined ? ['GET'] : []),
    ...(reads ? ['HEAD'] : []),
    ...(route.put !== undefined ? ['PUT'] : []),
    ...(route.post !== undefined ? ['POST'] : []),
  ];
  return methods.join(', ');
}

/**
 * A browser sends `Origin` with every request that has a body: a page of another origin must change nothing here, and
 * ask nothing. Programs send none.
 */
function refuseOtherOrigins({ headers }: IncomingMessage): void {
  const { origin, host } = headers;
  if (origin === undefined || origin === `http://${host}` || origin === `https://${host}`) return;
  throw new RequestError(403, 'a page of another origin may not send this: use the page of this address.');
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  const [type = ''] = (request.headers['content-type'] ?? '').split(';');
  // A form of another page cannot have this type, so that a browser asks first.
  if (type.trim().toLowerCase() !== 'application/json') {
    throw new RequestError(415, 'send JSON with content-type: application/json.');
  }
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    if (!Buffer.isBuffer(chunk)) continue;
    bytes += chunk.length;
    if (bytes > maxBody) {
      const headers = { connection: 'close' };
      throw new RequestError(413, `the body is larger than ${maxBody} bytes: send less.`, headers);
    }
    chunks.push(chunk);
  }
  const parsed = parseBoundedJson(Buffer.concat(chunks).toString('utf8'), bodyBounds);
  if (parsed.kind === 'json') return parsed.value;
  if (parsed.kind === 'not-json') throw new RequestError(400, 'the body is not JSON.');
  const { maxValues, maxDepth } = bodyBounds;
  throw new RequestError(413, `the body has more than ${maxValues} values or ${maxDepth} levels: send less.`);
}

/** Counts the bytes of an answer until they are sent. Without room for them the answer says so. */
function reserve(unsent: Quota, response: ServerResponse, answer: HttpResponse): HttpResponse {
  const bytes = Buffer.byteLength(answer.body);
  if (response.destroyed || bytes <= smallAnswer) return answer;
  // A single answer may be larger than all of them together may.
  if (!unsent.acquire('', Math.min(bytes, maxUnsent)))
    return errorResponse(new RequestError(503, notRead, { 'retry-after': '1' }));
  response.once('close', () => unsent.release('', Math.min(bytes, maxUnsent)));
  return answer;
}

/** Bytes of an answer that is not counted: the number of connections limits these. */
const smallAnswer = 16 * 1024;

const notRead = 'too many answers are being sent and not read: read them, and try again.';

function errorResponse({ status, message, headers }: RequestError): HttpResponse {
  return { ...json({ error: message }, false, status), headers };
}

function send(request: IncomingMessage, response: ServerResponse, answer: HttpResponse): void {
  const { status, type, body, headers } = answer;
  response.writeHead(status, {
    'content-type': type,
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    ...headers,
  });
  response.end(request.method === 'HEAD' ? undefined : body);
}
