import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { Random } from '../../edges.ts';
import { FairTurns } from '../../rate/fair-turns.ts';
import type { Message } from '../rpc/model.ts';
import { errorCode } from '../rpc/rpc-error.ts';

/** An HTTP error response, whose body is the same error in JSON-RPC. */
export interface ErrorResponse {
  /** The HTTP status. */
  readonly status: number;
  readonly message: string;
  readonly headers?: OutgoingHttpHeaders;
  /** The JSON-RPC error code. Default {@link errorCode.unavailable}. */
  readonly code?: number;
  readonly data?: unknown;
  /** The id of the request, if it could be read. */
  readonly id?: string | number;
}

/**
 * For a session that does not exist, and for one of another identity: a session id is not a credential, and whether it
 * exists is not told. Clients start a new session after this status only (MCP 2025-11-25, Session Management).
 */
export const sessionNotFound: ErrorResponse = {
  status: 404,
  code: errorCode.sessionNotFound,
  message: 'Session not found',
};

/** Sent without a session id, but for `initialize`. */
export const sessionMissing: ErrorResponse = {
  status: 400,
  message: 'Mcp-Session-Id is missing: begin with initialize',
};

/** MCP 2025-11-25, Requests: the id must not have been used before in the session. Responses are matched by it. */
export const duplicateId: ErrorResponse = {
  status: 400,
  code: errorCode.invalidRequest,
  message: 'A request with this id is in flight: give each request of a session an id of its own',
};

/** Sent when no session can be evicted. */
export function tooManySessions(maxSessions: number): ErrorResponse {
  return {
    status: 503,
    message: `There are ${maxSessions} sessions of this transport, all in use (--max-sessions): try again later`,
    headers: { 'retry-after': '60' },
  };
}

/** Sent during a graceful shutdown. The next connection should reach another replica, or the next process. */
export const shuttingDown: ErrorResponse = {
  status: 503,
  message: 'The gateway is shutting down; send the request again',
  headers: { 'retry-after': '1', connection: 'close' },
};

/** Milliseconds within which the readers of streams that end in a shutdown connect again: not all of them at once. */
const reconnectTimes = { min: 1_000, max: 5_000 } as const;

/** Chooses the time for one of them. */
export function reconnectDelay(random: Random): number {
  const { min, max } = reconnectTimes;
  return Math.round(min + random() * (max - min));
}

/** Sent when a token has expired between the headers of its request and the end of the body. */
export function tokenExpired(challenge: string): ErrorResponse {
  return { status: 401, message: 'The token has expired', headers: { 'www-authenticate': challenge } };
}

/**
 * Sent for a request that a token with another scope could make. SDKs ask their user for one (MCP 2025-11-25,
 * Authorization, Scope Challenge Handling).
 */
export function insufficientScope(message: Message, scope: string, challenge: string): ErrorResponse {
  return {
    status: 403,
    code: errorCode.invalidRequest,
    message: `The token lacks the scope ${scope}`,
    headers: { 'www-authenticate': challenge },
    ...('id' in message && message.id !== undefined && { id: message.id }),
  };
}

/**
 * Bytes of a refused body that are read and dropped. Many clients write the whole body before they read the response,
 * and would see a broken connection instead of it. As much as 16 bodies of the default size.
 */
const maxDroppedBytes = 16 * 1024 * 1024;

/**
 * Sends an error response. If the body of the request has not arrived completely, reads and drops the rest, up to
 * {@link maxDroppedBytes}, before the response ends; then closes the connection. `requestTimeout` of the server limits
 * the time.
 */
export function sendError(response: ServerResponse, errorResponse: ErrorResponse): void {
  const { status, message, headers, code = errorCode.unavailable, data, id = null } = errorResponse;
  const error = data === undefined ? { code, message } : { code, message, data };
  const body = JSON.stringify({ jsonrpc: '2.0', error, id });
  const length = Buffer.byteLength(body);
  response.writeHead(status, { ...headers, 'content-type': 'application/json', 'content-length': length });
  const request = response.req;
  if (request.complete) {
    response.end(body);
    return;
  }
  response.write(body);
  let dropped = 0;
  request.on('data', (chunk: Buffer) => {
    dropped += chunk.length;
    if (dropped > maxDroppedBytes) response.destroy();
    request.pause();
    void drops.next(request.socket.remoteAddress ?? '').then(() => request.resume());
  });
  request.once('end', () => response.end());
  request.resume();
}

/** One read of one refused body in each iteration of the event loop: what is dropped must not delay what is not. */
const drops = new FairTurns();
