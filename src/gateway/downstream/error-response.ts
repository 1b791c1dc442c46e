import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';
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

/** Sent when no session can be evicted. */
export const tooManySessions: ErrorResponse = {
  status: 503,
  message: 'Too many sessions',
  headers: { 'retry-after': '60' },
};

/** Sends an error response. */
export function sendError(response: ServerResponse, errorResponse: ErrorResponse): void {
  const { status, message, headers, code = errorCode.unavailable, data, id = null } = errorResponse;
  const error = data === undefined ? { code, message } : { code, message, data };
  response.writeHead(status, { ...headers, 'content-type': 'application/json' });
  response.end(JSON.stringify({ jsonrpc: '2.0', error, id }));
}
