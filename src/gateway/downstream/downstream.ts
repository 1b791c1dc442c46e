import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Readable, Writable } from 'node:stream';
import type { Clock, Stop } from '../../edges.ts';
import { within } from '../../net/deadline.ts';
import { reasonOf } from '../../net/errors.ts';
import { parseRequestUrl } from '../../net/request-url.ts';
import { FairTurns } from '../../rate/fair-turns.ts';
import { LogThrottle } from '../../rate/log-throttle.ts';
import type { Authentication, Authenticator, GatewayCounters, McpPath, TargetState } from '../model.ts';
import type { SessionParts } from '../session/model.ts';
import { createMultiplexer, type Multiplexer } from '../session/multiplexer.ts';
import { type BodyReaderParts, createBodyReader } from './body.ts';
import { admit, type BrowserGuardParts } from './browser-guard.ts';
import { type ErrorResponse, insufficientScope, sendError, shuttingDown } from './error-response.ts';
import { createEventStreams } from './event-stream.ts';
import { createExchangeLimit } from './exchange-limit.ts';
import { createHttpSse } from './http-sse.ts';
import type { HttpTransport, HttpTransportParts } from './model.ts';
import { serveStdio } from './stdio.ts';
import { createStrangers, type Strangers } from './strangers.ts';
import { createStreamableHttp } from './streamable-http.ts';

/** Dependencies and settings of serving MCP clients. */
export interface DownstreamParts extends SessionParts, BrowserGuardParts, Omit<BodyReaderParts, 'turns'> {
  /** `undefined`: every caller is anonymous, so every call is denied. */
  readonly authenticator: Authenticator | undefined;
  readonly counters: GatewayCounters;
  /** Requests a second of one caller, with a burst of as many. Default: not limited. */
  readonly maxRequestRate?: number | undefined;
  /** Sessions of each HTTP transport. Default 1,000. */
  readonly maxSessions?: number | undefined;
  /** Milliseconds after which a session without requests and streams is closed. Default 30 minutes. */
  readonly sessionIdleTimeout?: number | undefined;
}

/** The MCP server for clients, over HTTP and stdio. */
export interface Downstream {
  /** Handles an HTTP request: HTTP+SSE at `/sse`, Streamable HTTP at `/mcp`. Never throws. */
  handle(request: IncomingMessage, response: ServerResponse): void;
  /** Serves one anonymous client over a pair of streams. */
  stdio(input: Readable, output: Writable, gone: () => void): Stop;
  targetState(target: string): TargetState;
  /** Open sessions of clients. */
  sessions(): number;
  /**
   * Refuses what begins something new with 503, ends the streams that nothing in flight needs, and waits for the
   * requests in flight, at most for this time in milliseconds. Those that are in flight after that get an error.
   */
  drain(limit: number): Promise<void>;
  /** Closes all sessions. Resolves when the sessions with targets are terminated. */
  stop(): Promise<void>;
}

/** Milliseconds in which a client that lost the stream of its response may resume it: SDKs try again after 1 to 2 s. */
const resumeTime = 5_000;

const defaultMaxSessions = 1_000;
const defaultIdleTimeout = 30 * 60_000;

/** Creates the server. Does not listen. */
export function createDownstream(parts: DownstreamParts): Downstream {
  const { authenticator, clock, log, counters } = parts;
  const turns = new FairTurns(clock);
  const multiplexer = createMultiplexer(parts, turns);
  const exchanges = createExchangeLimit(parts);
  const strangers = createStrangers(parts);
  const shutdown = createShutdownErrors(multiplexer, parts.counters);
  const transports = createTransports({ ...parts, turns }, multiplexer, shutdown.errorFor);
  const throttle = new LogThrottle(clock, log);
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (!admit(request, response, { ...parts, strangers })) return;
    const url = parseRequestUrl(request.url);
    if (sendsDocument(authenticator?.documents, url, response, strangers)) return;
    const path = url === null ? undefined : mcpPathIn(url);
    if (url === null || path === undefined) {
      return strangers.refuse('path', response, { status: 404, message: 'MCP is spoken at /mcp and at /sse' });
    }
    const transport = transports[path];
    if (!transport.methods.includes(request.method ?? '')) {
      return strangers.refuse('method', response, methodNotAllowed(transport.methods));
    }
    const authentication = await authenticate(authenticator, request, path);
    if (response.destroyed) return;
    if (authentication.kind === 'refused') return sendAuthenticationError(response, authentication, parts.counters);
    const { caller } = authentication;
    const admission = exchanges.admit(response, caller);
    if (admission.kind === 'refused') return sendError(response, admission.error);
    const passed = passedHeaders(request, parts.passHeaders);
    await transport.serve({ request, response, caller, passedHeaders: passed, hold: admission.hold }, url);
  };

  return {
    handle(request, response) {
      serve(request, response).catch((error: unknown) => {
        // A client that disconnects during its request is no error.
        const reason = reasonOf(error);
        if (!request.destroyed && throttle.admit('request', reason)) log.error('request failed', { reason });
        if (response.headersSent || response.destroyed) response.destroy();
        else sendError(response, { status: 500, message: 'Internal error' });
      });
    },
    stdio: (input, output, gone) =>
      serveStdio(multiplexer, input, output, (reason, unread) => {
        if (reason === 'too much unread') {
          counters.count('gatehouse_gateway_event_streams_cut_total', { reason });
          log.warn('the client on stdio is served no more, because it does not read', { reason, unread });
        }
        gone();
      }),
    targetState: multiplexer.targetState,
    sessions: multiplexer.sessions,
    async drain(limit) {
      shutdown.begin();
      const end = clock.monotonic() + limit;
      const drained = multiplexer.drain(limit);
      for (const { drain } of Object.values(transports)) drain();
      await drained.then(() => untilRead(Object.values(transports), clock, end));
    },
    async stop() {
      await Promise.all(Object.values(transports).map((transport) => transport.stop()));
      await multiplexer.stop();
    },
  };
}

/** What the transports share, and what is said at the path of each. */
function createTransports(
  parts: DownstreamParts & Pick<BodyReaderParts, 'turns'>,
  multiplexer: Multiplexer,
  shutdownError: HttpTransportParts['shutdownError'],
): Readonly<Record<McpPath, HttpTransport>> {
  const { authenticator, clock, random, maxSessions = defaultMaxSessions } = parts;
  const shared = {
    multiplexer,
    streams: createEventStreams(parts),
    bodies: createBodyReader(parts),
    clock,
    random,
    shutdownError,
    maxSessions,
    idleTimeout: parts.sessionIdleTimeout ?? defaultIdleTimeout,
    full: createFullReport(parts, maxSessions),
  };
  const partsAt = (path: McpPath): HttpTransportParts => ({
    ...shared,
    stepUp: createStepUp(multiplexer, authenticator, path),
    // Without tokens none expires.
    expiredChallenge: authenticator?.expired(path) ?? 'Bearer',
  });
  return { '/sse': createHttpSse(partsAt('/sse')), '/mcp': createStreamableHttp(partsAt('/mcp')) };
}

/** @param end milliseconds since the epoch */
async function untilRead(transports: readonly HttpTransport[], clock: Clock, end: number): Promise<void> {
  const milliseconds = Math.min(resumeTime, Math.max(0, end - clock.monotonic()));
  const read = () => Promise.all(transports.map((transport) => transport.read?.()));
  await within({ clock, milliseconds }, read).catch(() => {});
}

/** Refuses what begins something new, once a shutdown has begun. */
function createShutdownErrors(multiplexer: Multiplexer, counters: GatewayCounters) {
  let hasBegun = false;
  const errorFor: HttpTransportParts['shutdownError'] = (messages, hasSession = true) => {
    if (!hasBegun) return undefined;
    if (messages?.some((message) => multiplexer.refuses(message, hasSession)) === false) return undefined;
    counters.count('gatehouse_gateway_requests_refused_total', { reason: 'shutting down' });
    return shuttingDown;
  };
  return {
    errorFor,
    begin() {
      hasBegun = true;
    },
  };
}

/** Joins several `Authorization` headers, which makes them invalid: which one is used must not depend on the reader. */
function authenticate(
  authenticator: Authenticator | undefined,
  { headersDistinct }: IncomingMessage,
  path: McpPath,
): Promise<Authentication> {
  const authorization = headersDistinct['authorization']?.join(', ');
  if (authenticator !== undefined) return authenticator.authenticate(authorization, path);
  return Promise.resolve({ kind: 'caller', caller: { kind: 'anonymous', reason: 'no authn configured' } });
}

/** Tells of sessions that are ended or refused. */
function createFullReport({ clock, log, counters }: DownstreamParts, maxSessions: number): HttpTransportParts['full'] {
  const throttle = new LogThrottle(clock, log);
  return (outcome) => {
    counters.count('gatehouse_gateway_sessions_full_total', { outcome });
    const most = `more than ${maxSessions} sessions of one transport (--max-sessions)`;
    const message = `${most}: one is ended or refused for each new one`;
    throttle.failed('sessions', { reason: outcome, message });
  };
}

/** Answers requests that only lack a scope, where clients are told how to get a token. */
function createStepUp(
  multiplexer: Multiplexer,
  authenticator: Authenticator | undefined,
  path: McpPath,
): HttpTransportParts['stepUp'] {
  const challengeFor = authenticator?.insufficientScope;
  return ([message, ...others], caller) => {
    if (challengeFor === undefined || message === undefined || others.length > 0) return undefined;
    const scope = multiplexer.missingScope(message, caller);
    return scope === undefined ? undefined : insufficientScope(message, scope, challengeFor(scope, path));
  };
}

/** Several headers of one name are joined, as a proxy may do. */
function passedHeaders(
  { headersDistinct }: IncomingMessage,
  names: readonly string[] = [],
): Readonly<Record<string, string>> | undefined {
  if (names.length === 0) return undefined;
  return Object.fromEntries(
    names.flatMap((name) => {
      const values = headersDistinct[name];
      return values === undefined ? [] : [[name, values.join(', ')]];
    }),
  );
}

function sendAuthenticationError(
  response: ServerResponse,
  { status, reason, challenge, message }: Extract<Authentication, { readonly kind: 'refused' }>,
  counters: GatewayCounters,
): void {
  counters.count('gatehouse_gateway_requests_unauthenticated_total', { reason });
  const headers = challenge === undefined ? {} : { 'www-authenticate': challenge };
  sendError(response, { status, message, headers });
}

function withoutSlash(path: string): string {
  return path.replace(/\/$/, '');
}

function mcpPathIn({ pathname }: URL): McpPath | undefined {
  const path = withoutSlash(pathname);
  return path === '/mcp' || path === '/sse' ? path : undefined;
}

/** Answers a request for a document that needs no token, since it says how to get one; returns whether it is one. */
function sendsDocument(
  documents: Authenticator['documents'],
  url: URL | null,
  response: ServerResponse,
  strangers: Strangers,
): boolean {
  const { method = '' } = response.req;
  const text = url === null ? undefined : documents?.get(withoutSlash(url.pathname));
  if (text === undefined) return false;
  if (method === 'GET' || method === 'HEAD') {
    strangers.answered('metadata', response);
    response.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'max-age=300' });
    response.end(method === 'HEAD' ? undefined : text);
  } else {
    strangers.refuse('method', response, methodNotAllowed(['GET', 'HEAD']));
  }
  return true;
}

function methodNotAllowed(allowed: readonly string[]): ErrorResponse {
  return { status: 405, message: 'Method not allowed', headers: { allow: allowed.join(', ') } };
}
