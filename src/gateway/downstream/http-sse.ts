import type { ServerResponse } from 'node:http';
import { isJsonContentType } from '@modelcontextprotocol/server';
import type { Clock } from '../../edges.ts';
import type { EventStream, EventStreams } from '../../net/event-streams.ts';
import { eventPieces, eventText, retryText } from '../../net/sse.ts';
import { isCurrent, whenExpired } from '../callers.ts';
import type { Caller } from '../model.ts';
import { decodeMessage } from '../rpc/decode-message.ts';
import type { Message } from '../rpc/model.ts';
import { errorCode } from '../rpc/rpc-error.ts';
import { encodePieces } from '../rpc/source-text.ts';
import type { ClientStream, Session } from '../session/model.ts';
import type { Multiplexer } from '../session/multiplexer.ts';
import { isRequest } from './decode-post.ts';
import {
  duplicateId,
  type ErrorResponse,
  reconnectDelay,
  sendError,
  sessionNotFound,
  tokenExpired,
  tooManySessions,
} from './error-response.ts';
import { openEventStream } from './event-stream.ts';
import type { Exchange, HttpTransport, HttpTransportParts } from './model.ts';
import { createSessionTable } from './session-table.ts';

/** A session over HTTP+SSE. */
interface SseSession {
  /** Opens the stream of the session, once. */
  open(id: string, response: ServerResponse, closed: () => void): void;
  /**
   * Handles a message of a POST, or returns the error response.
   *
   * @param done called once, when the message is handled
   */
  post(message: Message, exchange: Exchange, done: () => void): ErrorResponse | undefined;
  /** Ends the stream when all is answered; see {@link HttpTransport.drain}. */
  drain(retry: number): void;
  close(): Promise<void>;
}

/** The session that a POST names, or the error response. */
type Lookup =
  | { readonly kind: 'session'; readonly session: SseSession }
  | { readonly kind: 'error'; readonly error: ErrorResponse };

/**
 * The HTTP+SSE transport of MCP 2024-11-05, as in the deployed gateways: `GET /sse` opens an event stream, whose first
 * event contains the URL for `POST` (`?sessionId=<hex>`). A `POST` gets 202; responses and notifications are sent on
 * the stream. The session ends with its stream.
 */
export function createHttpSse({ multiplexer, bodies, ...parts }: HttpTransportParts): HttpTransport {
  const { clock, streams } = parts;
  const sessions = createSessionTable<SseSession>(parts);

  const open = (response: ServerResponse, caller: Caller): void => {
    const opened = sessions.open(caller, () => createSseSession(multiplexer, { clock, streams }, caller));
    if (opened === undefined) {
      sendError(response, tooManySessions(parts.maxSessions));
      return;
    }
    const { id, session } = opened;
    const release = sessions.hold(id);
    session.open(id, response, () => {
      release();
      sessions.close(id);
    });
  };

  const lookUp = (url: URL, caller: Caller): Lookup => {
    const id = url.searchParams.get('sessionId');
    if (id === null) return { kind: 'error', error: idMissing };
    const found = sessions.find(id, caller);
    return found.kind === 'unknown' ? { kind: 'error', error: sessionNotFound } : { ...found, kind: 'session' };
  };

  const post = async (exchange: Exchange, url: URL): Promise<void> => {
    const { request, response, caller, hold } = exchange;
    const early = lookUp(url, caller);
    if (early.kind === 'error') return sendError(response, early.error);
    if (!isJsonContentType(request.headers['content-type'] ?? null)) return sendError(response, notJsonType);
    const body = await bodies.read(request, caller);
    if (body.kind === 'error') return sendError(response, body);
    const handled = hold();
    const done = (): void => {
      body.release();
      handled();
    };
    const refuse = (error: ErrorResponse): void => {
      done();
      sendError(response, error);
    };
    // The token may have expired, and the session ended, while the body arrived.
    if (!isCurrent(caller, clock)) return refuse(tokenExpired(parts.expiredChallenge));
    const found = lookUp(url, caller);
    if (found.kind === 'error') return refuse(found.error);
    const message = decodeMessage(body.value);
    if (message === undefined) return refuse(noMessage);
    const error =
      parts.shutdownError([message]) ?? parts.stepUp([message], caller) ?? found.session.post(message, exchange, done);
    if (error !== undefined) return refuse(error);
    response.writeHead(202).end('Accepted');
  };

  return {
    methods: ['GET', 'POST'],
    async serve(exchange, url) {
      if (exchange.request.method === 'POST') return post(exchange, url);
      const refused = parts.shutdownError();
      if (refused !== undefined) return sendError(exchange.response, refused);
      open(exchange.response, exchange.caller);
    },
    drain() {
      for (const session of sessions.all()) session.drain(reconnectDelay(parts.random));
    },
    stop: sessions.stop,
  };
}

/** What event streams are opened with. */
interface StreamParts {
  readonly clock: Clock;
  readonly streams: EventStreams;
}

/** @param reader the caller who has opened the stream */
function createSseSession(multiplexer: Multiplexer, { clock, streams }: StreamParts, reader: Caller): SseSession {
  let stream: EventStream | undefined;
  let unanswered = 0;
  let isDraining = false;
  const send = (message: Message): void => stream?.write(eventPieces('message', encodePieces(message)));
  const own: ClientStream = { reader, send };
  const session: Session = multiplexer.open({ stream: () => own });

  /**
   * At the end of the token, or in a drain, the stream stays for the responses to requests that were accepted before.
   */
  const endIfOver = (): void => {
    if ((isDraining || !isCurrent(reader, clock)) && unanswered === 0) stream?.end();
  };

  return {
    open(id, response, closed) {
      const stopTimer = whenExpired(reader, clock, endIfOver);
      stream = openEventStream({
        streams,
        response,
        clock,
        caller: reader,
        lifetime: 'answers',
        closed() {
          stopTimer();
          closed();
        },
      });
      stream.write(eventText('endpoint', `?sessionId=${id}`));
    },
    post(message, { caller, passedHeaders }, done) {
      if (!isCurrent(reader, clock)) return sessionNotFound;
      const common = commonCaller(caller, reader);
      const sender = { caller: common, reader: common, passedHeaders, send };
      if (!isRequest(message)) {
        session.receive(message, { ...sender, settled: () => {} });
        done();
        return undefined;
      }
      if (session.isInFlight(message.id)) return { ...duplicateId, id: message.id };
      unanswered += 1;
      session.receive(message, {
        ...sender,
        settled() {
          unanswered -= 1;
          done();
          endIfOver();
        },
      });
      return undefined;
    },
    drain(retry) {
      isDraining = true;
      stream?.write(retryText(retry));
      endIfOver();
    },
    async close() {
      stream?.end();
      await session.close();
    },
  };
}

/**
 * Returns the caller that two tokens of one identity have in common. The response to a POST is read by the client that
 * holds the stream, whose token may say less than that of the POST: only what both tokens allow is allowed.
 */
function commonCaller(one: Caller, other: Caller): Caller {
  if (one.kind === 'anonymous' || other.kind === 'anonymous') return one.kind === 'anonymous' ? one : other;
  const claims = Object.fromEntries(
    Object.entries(one.claims).filter(([name, value]) => {
      return Object.hasOwn(other.claims, name) && other.claims[name] === value;
    }),
  );
  return {
    ...one,
    claims,
    get expiresAt() {
      return Math.min(one.expiresAt, other.expiresAt);
    },
  };
}

const idMissing: ErrorResponse = {
  status: 400,
  message: 'sessionId is missing: open a stream with GET first, or use Streamable HTTP at /mcp',
};

const notJsonType: ErrorResponse = { status: 415, message: 'Content-Type must be application/json' };

const noMessage: ErrorResponse = {
  status: 400,
  code: errorCode.invalidRequest,
  message: 'The body is no JSON-RPC message',
};
