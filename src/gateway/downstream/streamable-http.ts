import type { IncomingMessage, ServerResponse } from 'node:http';
import { isJsonContentType } from '@modelcontextprotocol/server';
import type { Stop } from '../../edges.ts';
import { acceptedTypes } from '../../net/accept.ts';
import { isCurrent } from '../callers.ts';
import type { Caller } from '../model.ts';
import type { BodyReader } from './body.ts';
import { decodeBody, headerOf, versionError, withoutSession } from './decode-post.ts';
import {
  type ErrorResponse,
  reconnectDelay,
  sendError,
  sessionNotFound,
  tokenExpired,
  tooManySessions,
} from './error-response.ts';
import { createEventLogBudget } from './event-log.ts';
import type { Exchange, HttpTransport, HttpTransportParts } from './model.ts';
import { createSessionTable } from './session-table.ts';
import { createStatelessHttp } from './stateless/stateless-http.ts';
import { isStateless } from './stateless/stateless-request.ts';
import { createStreamableSession, type StreamableSession } from './streamable-session.ts';

/** The session that a request names. */
type Lookup =
  | { readonly kind: 'session'; readonly session: StreamableSession }
  | { readonly kind: 'none' }
  | { readonly kind: 'error'; readonly error: ErrorResponse };

/**
 * The Streamable HTTP transport of MCP 2025-03-26 to 2025-11-25, with sessions, and that of MCP 2026-07-28 without them
 * at the same URL.
 */
export function createStreamableHttp({ multiplexer, bodies, ...parts }: HttpTransportParts): HttpTransport {
  const { clock } = parts;
  const sessions = createSessionTable<StreamableSession>(parts);
  const budget = createEventLogBudget();
  const stateless = createStatelessHttp({ ...parts, multiplexer });

  const lookUp = ({ request, caller }: Exchange): Lookup => {
    const id = headerOf(request, 'mcp-session-id');
    if (id === undefined) return { kind: 'none' };
    const found = sessions.find(id, caller);
    return found.kind === 'unknown' ? { kind: 'error', error: sessionNotFound } : { ...found, kind: 'session' };
  };

  const hold = (id: string, response: ServerResponse): void => holdUntilClosed(sessions.hold(id), response);

  const openSession = (caller: Caller): StreamableSession | undefined =>
    sessions.open(caller, (id) => createStreamableSession(multiplexer, parts, { id, caller, budget }))?.session;

  /** While the body arrived, the token may have expired, and the session ended. */
  const receive: Receive = (exchange, body, done) => {
    const { request, response, caller } = exchange;
    if (!isCurrent(caller, clock)) return tokenExpired(parts.expiredChallenge);
    const found = lookUp(exchange);
    if (found.kind === 'error') return found.error;
    if (found.kind === 'none' && isStateless(body, request)) {
      stateless.post(exchange, body, done);
      return undefined;
    }
    const known = found.kind === 'session' ? found.session : undefined;
    const decoded = decodeBody(body, request, known);
    if (decoded.kind === 'error') return decoded.error;
    const refused = parts.shutdownError(decoded.messages) ?? parts.stepUp(decoded.messages, caller);
    if (refused !== undefined) return refused;
    const session = known ?? openSession(caller);
    if (session === undefined) return tooManySessions(parts.maxSessions);
    hold(session.id, response);
    session.post(exchange, decoded.messages, done);
    return undefined;
  };

  const post = createPost(bodies, receive);

  return {
    methods: ['POST', 'GET', 'DELETE'],
    async serve(exchange) {
      const { request, response } = exchange;
      const found = lookUp(exchange);
      if (found.kind === 'error') return sendError(response, found.error);
      if (request.method === 'POST') return post(exchange);
      if (found.kind === 'none') return sendError(response, withoutSession(request, undefined));
      const { session } = found;
      const error = versionError(request) ?? (request.method === 'GET' ? listen(session, exchange) : undefined);
      if (error !== undefined) return sendError(response, error);
      if (request.method === 'GET') return hold(session.id, response);
      sessions.close(session.id);
      response.writeHead(200).end();
    },
    drain() {
      for (const session of sessions.all()) session.drain(reconnectDelay(parts.random));
      stateless.drain();
    },
    async read() {
      await Promise.all(sessions.all().map((session) => session.read()));
    },
    async stop() {
      await Promise.all([sessions.stop(), stateless.stop()]);
    },
  };
}

/** Keeps a session from becoming idle until the response is closed. */
function holdUntilClosed(release: Stop, response: ServerResponse): void {
  // After a disconnect, `close` is not emitted again. The request is still processed, since a disconnect does not
  // cancel it (MCP 2025-11-25, Sending Messages).
  if (response.destroyed) release();
  else response.once('close', release);
}

/** Handles a body that has arrived, or returns the error response. */
type Receive = (exchange: Exchange, body: unknown, done: () => void) => ErrorResponse | undefined;

/** Reads the bodies of POST requests. */
function createPost(bodies: BodyReader, receive: Receive): (exchange: Exchange) => Promise<void> {
  return async (exchange) => {
    const { request, response, caller } = exchange;
    if (!accepts(request, ['application/json', 'text/event-stream'])) return sendError(response, notAcceptable);
    if (!isJsonContentType(request.headers['content-type'] ?? null)) return sendError(response, notJsonType);
    const body = await bodies.read(request, caller);
    if (body.kind === 'error') return sendError(response, body);
    const handled = exchange.hold();
    const done = (): void => {
      body.release();
      handled();
    };
    const error = receive(exchange, body.value, done);
    if (error === undefined) return;
    done();
    sendError(response, error);
  };
}

/** Opens the stream that a GET asks for, or returns the error response. */
function listen(session: StreamableSession, exchange: Exchange): ErrorResponse | undefined {
  if (!accepts(exchange.request, ['text/event-stream'])) return notAcceptable;
  return session.listen(exchange, headerOf(exchange.request, 'last-event-id'));
}

/** @param types media types of MCP */
function accepts(request: IncomingMessage, types: readonly string[]): boolean {
  const accepted = acceptedTypes(headerOf(request, 'accept'));
  return types.every((type) => accepted.includes(type));
}

const notAcceptable: ErrorResponse = {
  status: 406,
  message: 'Accept must allow text/event-stream, and for POST application/json as well',
};

const notJsonType: ErrorResponse = { status: 415, message: 'Content-Type must be application/json' };
