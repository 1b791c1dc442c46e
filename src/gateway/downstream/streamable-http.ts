import type { IncomingMessage, ServerResponse } from 'node:http';
import { isJsonContentType } from '@modelcontextprotocol/server';
import { acceptedTypes } from '../../net/accept.ts';
import { eventPieces } from '../../net/sse.ts';
import { isCurrent } from '../callers.ts';
import type { Message } from '../rpc/model.ts';
import { encodePieces } from '../rpc/source-text.ts';
import type { ClientStream, Session } from '../session/model.ts';
import type { Multiplexer } from '../session/multiplexer.ts';
import { decodeBody, headerOf, isRequest, versionError, withoutSession } from './decode-post.ts';
import { type ErrorResponse, sendError, sessionNotFound, tokenExpired, tooManySessions } from './error-response.ts';
import { openEventStream } from './event-stream.ts';
import type { Exchange, HttpTransport, HttpTransportParts } from './model.ts';
import { createSessionTable } from './session-table.ts';

/** A session over Streamable HTTP. */
interface StreamableSession extends Session {
  readonly id: string;
  /**
   * Handles the messages of one POST, none of which is a request with an id that is in flight. What they cause is sent
   * in the response to this POST.
   *
   * @param done called once, when all of them are handled
   */
  post(exchange: Exchange, messages: readonly Message[], done: () => void): void;
  /** Makes the response to a GET the stream of the session, in place of an earlier one. */
  listen(exchange: Exchange): void;
}

/** A stream to the client, which ends when what was sent is read. */
interface EndableStream extends ClientStream {
  end(): void;
}

/** The session that a request names. */
type Lookup =
  | { readonly kind: 'session'; readonly session: StreamableSession }
  | { readonly kind: 'none' }
  | { readonly kind: 'error'; readonly error: ErrorResponse };

/**
 * The Streamable HTTP transport of MCP 2025-03-26 to 2025-11-25, with sessions. Requests of MCP 2026-07-28, which has
 * neither a handshake nor sessions, get an error with the supported revisions.
 */
export function createStreamableHttp({ multiplexer, bodies, ...parts }: HttpTransportParts): HttpTransport {
  const { clock } = parts;
  const sessions = createSessionTable<StreamableSession>(parts);

  const lookUp = ({ request, caller }: Exchange): Lookup => {
    const id = headerOf(request, 'mcp-session-id');
    if (id === undefined) return { kind: 'none' };
    const found = sessions.find(id, caller);
    return found.kind === 'unknown' ? { kind: 'error', error: sessionNotFound } : { ...found, kind: 'session' };
  };

  /** Keeps a session from becoming idle until the response is closed. */
  const hold = (id: string, response: ServerResponse): void => {
    const release = sessions.hold(id);
    // After a disconnect, `close` is not emitted again. The request is still processed, since a disconnect does not
    // cancel it (MCP 2025-11-25, Sending Messages).
    if (response.destroyed) release();
    else response.once('close', release);
  };

  const post = async (exchange: Exchange): Promise<void> => {
    const { request, response, caller } = exchange;
    if (!accepts(request, ['application/json', 'text/event-stream'])) return sendError(response, notAcceptable);
    if (!isJsonContentType(request.headers['content-type'] ?? null)) return sendError(response, notJsonType);
    const body = await bodies.read(request, caller);
    if (body.kind === 'error') return sendError(response, body);
    const refuse = (error: ErrorResponse): void => {
      body.release();
      sendError(response, error);
    };
    // The token may have expired, and the session ended, while the body arrived.
    if (!isCurrent(caller, clock)) return refuse(tokenExpired);
    const found = lookUp(exchange);
    if (found.kind === 'error') return refuse(found.error);
    const known = found.kind === 'session' ? found.session : undefined;
    const decoded = decodeBody(body.value, request, known);
    if (decoded.kind === 'error') return refuse(decoded.error);
    const session = known ?? sessions.open(caller, (id) => createStreamableSession(multiplexer, parts, id))?.session;
    if (session === undefined) return refuse(tooManySessions);
    hold(session.id, response);
    const handled = exchange.hold();
    session.post(exchange, decoded.messages, () => {
      body.release();
      handled();
    });
  };

  return {
    methods: ['POST', 'GET', 'DELETE'],
    async serve(exchange) {
      const { request, response } = exchange;
      const found = lookUp(exchange);
      if (found.kind === 'error') return sendError(response, found.error);
      if (request.method === 'POST') return post(exchange);
      if (found.kind === 'none') return sendError(response, withoutSession(request, undefined));
      const { session } = found;
      const error = versionError(request);
      if (error !== undefined) return sendError(response, error);
      if (request.method === 'DELETE') {
        sessions.close(session.id);
        response.writeHead(200).end();
      } else if (accepts(request, ['text/event-stream'])) {
        hold(session.id, response);
        session.listen(exchange);
      } else {
        sendError(response, notAcceptable);
      }
    },
    stop: sessions.stop,
  };
}

function createStreamableSession(
  multiplexer: Multiplexer,
  { clock, streams }: Pick<HttpTransportParts, 'clock' | 'streams'>,
  id: string,
): StreamableSession {
  /** The response to the last GET. */
  let own: EndableStream | undefined;

  const open = ({ response, caller }: Exchange, lifetime: 'token' | 'answers', closed: () => void): EndableStream => {
    const headers = { 'mcp-session-id': id };
    const stream = openEventStream({ streams, response, headers, clock, caller, lifetime, closed });
    return {
      caller,
      send: (message) => stream.write(eventPieces('message', encodePieces(message))),
      end: () => stream.end(),
    };
  };

  const session = multiplexer.open({ stream: () => own });
  return {
    ...session,
    id,
    post(exchange, messages, done) {
      let unsettled = messages.filter(isRequest).length;
      const { caller, response } = exchange;
      if (unsettled === 0) response.writeHead(202).end();
      const stream = unsettled === 0 || response.destroyed ? undefined : open(exchange, 'answers', () => {});
      const sender = {
        caller,
        send: (message: Message) => stream?.send(message),
        settled() {
          unsettled -= 1;
          if (unsettled > 0) return;
          stream?.end();
          done();
        },
      };
      if (unsettled === 0) done();
      for (const message of messages) session.receive(message, sender);
    },
    listen(exchange) {
      // A client that reconnects may arrive before the end of its old stream is noticed.
      own?.end();
      const stream = open(exchange, 'token', () => {
        if (own === stream) own = undefined;
      });
      own = stream;
    },
    async close() {
      own?.end();
      await session.close();
    },
  };
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
