import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { errorCode } from '../rpc/protocol.ts';

/** An answer that is no: the HTTP status for clients of the transport, and the same as JSON-RPC in the body. */
export interface Refusal {
  readonly status: number;
  readonly message: string;
  readonly headers?: OutgoingHttpHeaders;
  /** Of JSON-RPC. */
  readonly code?: number;
  readonly data?: unknown;
  /** The request that is refused, where it could be read. */
  readonly id?: string | number;
}

/** Clients start anew on this status alone (MCP 2025-11-25, Session Management). */
export const sessionNotFound: Refusal = {
  status: 404,
  code: errorCode.sessionNotFound,
  message: 'Session not found',
};

/** A session id is no credential: whoever learns it must still be the one who opened it. */
export const sessionIsForeign: Refusal = { status: 403, message: 'The session belongs to another identity' };

export const tooManySessions: Refusal = { status: 503, message: 'Too many sessions', headers: { 'retry-after': '60' } };

/** Sends a refusal. */
export function refuse(response: ServerResponse, refusal: Refusal): void {
  const { status, message, headers, code = errorCode.unavailable, data, id = null } = refusal;
  const error = data === undefined ? { code, message } : { code, message, data };
  response.writeHead(status, { ...headers, 'content-type': 'application/json' });
  response.end(JSON.stringify({ jsonrpc: '2.0', error, id }));
}
