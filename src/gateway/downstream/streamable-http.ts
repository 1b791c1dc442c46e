import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  isInitializeRequest,
  isJSONRPCRequest,
  type RequestId,
  WebStandardStreamableHTTPServerTransport,
} from '@modelcontextprotocol/server';
import type { Clock } from '../../edges.ts';
import type { Caller } from '../model.ts';
import { errorCode, perRequestVersionKey, protocolVersions } from '../rpc/protocol.ts';
import type { Multiplexer } from '../session/multiplexer.ts';
import { readBody } from './body.ts';
import { type Refusal, refuse, sessionIsForeign, sessionNotFound, tooManySessions } from './error-response.ts';
import type { HttpTransport } from './model.ts';
import { createSession, type Session } from './session.ts';
import { createSessionTable } from './session-table.ts';
import { relay } from './web-response.ts';

/** A session and the SDK's transport that carries it. */
interface StreamableSession extends Session {
  /** Lets the transport answer one HTTP request. */
  respond(request: Request, body: unknown, caller: Caller): Promise<Response>;
}

/**
 * Streamable HTTP of MCP 2025-03-26 to 2025-11-25, with sessions: the rules of the transport are the SDK's, sessions and
 * streams are ours. Requests of 2026-07-28, which has neither handshake nor sessions, are told which revisions there are.
 */
export function createStreamableHttp(parts: {
  readonly multiplexer: Multiplexer;
  readonly clock: Clock;
  readonly maxSessions: number;
  readonly idleMilliseconds: number;
}): HttpTransport {
  const { multiplexer, clock, maxSessions: max, idleMilliseconds } = parts;
  const sessions = createSessionTable<StreamableSession>({ clock, max, idleMilliseconds });

  const answer = async (
    exchange: HttpExchange,
    id: string,
    session: StreamableSession,
    body: unknown,
  ): Promise<void> => {
    const { request, response, caller } = exchange;
    const release = sessions.hold(id);
    // Who has gone already will not go again; the request counts nevertheless (MCP 2025-11-25, Sending Messages).
    if (response.destroyed) release();
    else response.once('close', release);
    await relay(await session.respond(webRequestOf(request), body, caller), { response, clock, caller });
  };

  const open = async (exchange: HttpExchange, body: unknown): Promise<void> => {
    const opened = sessions.open(exchange.caller, (id) => {
      return createStreamableSession(multiplexer, id, () => sessions.close(id));
    });
    if (opened === undefined) return refuse(exchange.response, tooManySessions);
    const { id, session } = opened;
    await answer(exchange, id, session, body);
    // The transport refused the handshake: the client has not got the id of this session.
    if (exchange.response.statusCode !== 200) sessions.close(id);
  };

  return {
    methods: ['POST', 'GET', 'DELETE'],
    async serve(request, response, _url, caller) {
      const exchange: HttpExchange = { request, response, caller };
      const id = headerOf(request, 'mcp-session-id');
      const found = id === undefined ? undefined : sessions.find(id, caller);
      if (found?.kind === 'unknown') return refuse(response, sessionNotFound);
      if (found?.kind === 'foreign') return refuse(response, sessionIsForeign);

      const body = request.method === 'POST' ? await readBody(request) : undefined;
      if (body?.kind === 'refused') return refuse(response, body);
      if (id !== undefined && found !== undefined) {
        const refusal = refusalOfBatch(body?.value, found.session.protocolVersion());
        return refusal === undefined ? answer(exchange, id, found.session, body?.value) : refuse(response, refusal);
      }
      if (isInitializeRequest(body?.value)) return open(exchange, body.value);
      refuse(response, refusalWithoutSession(request, body?.value));
    },
    stop: sessions.stop,
  };
}

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
  const session = createSession({
    multiplexer,
    send: (message, { relatedTo }) =>
      transport.send(message, relatedTo === undefined ? {} : { relatedRequestId: relatedTo }),
    abandoned: (request: RequestId) => transport.closeSSEStream(request),
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
      // There is one stream per session; a client that comes back for it may be ahead of the news that it had gone.
      if (request.method === 'GET') transport.closeStandaloneSSEStream();
      return transport.handleRequest(request, body === undefined ? {} : { parsedBody: body });
    },
    async close() {
      await transport.close();
      await session.close();
    },
  };
}

/** What the transport looks at. The body was read already, and nothing else of the client goes further. */
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

/** Several messages in one body were part of one revision only (MCP 2025-06-18, Changelog). */
function refusalOfBatch(body: unknown, version: string | undefined): Refusal | undefined {
  if (!Array.isArray(body) || (version === '2025-03-26' && body.length > 0)) return undefined;
  return { status: 400, code: errorCode.invalidRequest, message: 'A body holds one message, not a batch' };
}

function refusalWithoutSession(request: IncomingMessage, body: unknown): Refusal {
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
