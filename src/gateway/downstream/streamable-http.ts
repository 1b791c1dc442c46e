import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  isInitializeRequest,
  isJSONRPCRequest,
  type RequestId,
  WebStandardStreamableHTTPServerTransport,
} from '@modelcontextprotocol/server';
import type { Caller } from '../model.ts';
import { perRequestVersionKey, protocolVersions } from '../rpc/protocol.ts';
import { errorCode } from '../rpc/rpc-error.ts';
import type { Session } from '../session/model.ts';
import type { Multiplexer } from '../session/multiplexer.ts';
import { readBody } from './body.ts';
import {
  type ErrorResponse,
  sendError,
  sessionNotFound,
  sessionOfOtherIdentity,
  tooManySessions,
} from './error-response.ts';
import { sendWebResponse } from './event-stream.ts';
import type { HttpTransport, HttpTransportParts } from './model.ts';
import { createSessionTable } from './session-table.ts';

/** A session with the SDK transport that carries it. */
interface StreamableSession extends Session {
  /** Lets the SDK transport handle one HTTP request. */
  respond(request: Request, body: unknown, caller: Caller): Promise<Response>;
}

/**
 * The Streamable HTTP transport of MCP 2025-03-26 to 2025-11-25, with sessions. The SDK implements the rules of the
 * transport; the gateway manages sessions and event streams. Requests of MCP 2026-07-28, which has neither a handshake
 * nor sessions, get an error with the supported revisions.
 */
export function createStreamableHttp({ multiplexer, ...parts }: HttpTransportParts): HttpTransport {
  const { clock, streams } = parts;
  const sessions = createSessionTable<StreamableSession>(parts);

  const respond = async (
    exchange: HttpExchange,
    id: string,
    session: StreamableSession,
    body: unknown,
  ): Promise<void> => {
    const { request, response, caller } = exchange;
    const release = sessions.hold(id);
    // After a disconnect, `close` is not emitted again. The request is still processed, since a disconnect does
    // not cancel it (MCP 2025-11-25, Sending Messages).
    if (response.destroyed) release();
    else response.once('close', release);
    const webResponse = await session.respond(webRequestOf(request), body, caller);
    await sendWebResponse(webResponse, { streams, response, clock, caller });
  };

  const open = async (exchange: HttpExchange, body: unknown): Promise<void> => {
    const opened = sessions.open(exchange.caller, (id) => {
      return createStreamableSession(multiplexer, id, () => sessions.close(id));
    });
    if (opened === undefined) return sendError(exchange.response, tooManySessions);
    const { id, session } = opened;
    await respond(exchange, id, session, body);
    // The SDK transport refused the handshake, so the client did not get the session id.
    if (exchange.response.statusCode !== 200) sessions.close(id);
  };

  return {
    methods: ['POST', 'GET', 'DELETE'],
    async serve(request, response, _url, caller) {
      const exchange: HttpExchange = { request, response, caller };
      const id = headerOf(request, 'mcp-session-id');
      const found = id === undefined ? undefined : sessions.find(id, caller);
      if (found?.kind === 'unknown') return sendError(response, sessionNotFound);
      if (found?.kind === 'foreign') return sendError(response, sessionOfOtherIdentity);

      const body = request.method === 'POST' ? await readBody(request) : undefined;
      if (body?.kind === 'error') return sendError(response, body);
      if (id !== undefined && found !== undefined) {
        const error = batchError(body?.value, found.session.protocolVersion());
        return error === undefined ? respond(exchange, id, found.session, body?.value) : sendError(response, error);
      }
      if (isInitializeRequest(body?.value)) return open(exchange, body.value);
      sendError(response, sessionMissing(request, body?.value));
    },
    stop: sessions.stop,
  };
}

/** One HTTP request with its response and its sender. */
interface HttpExchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly caller: Caller;
}

function createStreamableSession(multiplexer: Multiplexer, id: string, closed: () => void): StreamableSession {
  const callers = new WeakMap<Request, Caller>();
  const transport = new WebStandardStreamableHTTPServerTransport({
    sessionIdGenerator: () => id,
    supportedProtocolVersions: [...protocolVersions],
    keepAliveMs: 0,
  });
  const session = multiplexer.open({
    send: (message, { relatedTo }) =>
      transport.send(message, relatedTo === undefined ? {} : { relatedRequestId: relatedTo }),
    cancelled: (request: RequestId) => transport.closeSSEStream(request),
  });
  transport.onmessage = (message, extra) => {
    const caller = extra?.request === undefined ? undefined : callers.get(extra.request);
    if (caller !== undefined) session.receive(message, caller);
  };
  transport.onclose = closed;
  return {
    ...session,
    respond(request, body, caller) {
      callers.set(request, caller);
      // There is one GET stream per session. A client that reconnects may arrive before the end of its old stream is
      // noticed.
      if (request.method === 'GET') transport.closeStandaloneSSEStream();
      return transport.handleRequest(request, body === undefined ? {} : { parsedBody: body });
    },
    async close() {
      await transport.close();
      await session.close();
    },
  };
}

/**
 * Builds the request for the SDK transport. Without the body, which is parsed already, and without all other headers.
 */
function webRequestOf(request: IncomingMessage): Request {
  const headers = new Headers();
  for (const name of ['accept', 'content-type', 'mcp-session-id', 'mcp-protocol-version']) {
    const value = headerOf(request, name);
    if (value !== undefined) headers.set(name, value);
  }
  return new Request('http://gateway/mcp', { method: request.method ?? 'GET', headers });
}

function headerOf({ headers }: IncomingMessage, name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value.join(', ') : value;
}

/** Only MCP 2025-03-26 has batches (MCP 2025-06-18, Changelog). Returns the error for a batch that is not allowed. */
function batchError(body: unknown, version: string | undefined): ErrorResponse | undefined {
  if (!Array.isArray(body) || (version === '2025-03-26' && body.length > 0)) return undefined;
  return { status: 400, code: errorCode.invalidRequest, message: 'A body holds one message, not a batch' };
}

/** The error for a request without session id that is no `initialize`: it may be one of a revision without sessions. */
function sessionMissing(request: IncomingMessage, body: unknown): ErrorResponse {
  const requested = perRequestVersionOf(body) ?? headerOf(request, 'mcp-protocol-version');
  if (requested === undefined || protocolVersions.includes(requested)) {
    return { status: 400, message: 'Mcp-Session-Id is missing: begin with initialize' };
  }
  return {
    status: 400,
    code: errorCode.unsupportedProtocolVersion,
    message: `Unsupported protocol version: ${requested}`,
    data: { supported: protocolVersions, requested },
    ...(isJSONRPCRequest(body) ? { id: body.id } : {}),
  };
}

function perRequestVersionOf(body: unknown): string | undefined {
  const version = isJSONRPCRequest(body) ? body.params?._meta?.[perRequestVersionKey] : undefined;
  return typeof version === 'string' ? version : undefined;
}
