import type { IncomingMessage } from 'node:http';
import { isInitializeRequest, isJSONRPCRequest } from '@modelcontextprotocol/server';
import { decodeMessage } from '../rpc/decode-message.ts';
import type { Message, RequestId } from '../rpc/model.ts';
import { perRequestVersionKey, protocolVersions, statelessVersion } from '../rpc/protocol.ts';
import { errorCode } from '../rpc/rpc-error.ts';
import type { Session } from '../session/model.ts';
import { duplicateId, type ErrorResponse, sessionMissing } from './error-response.ts';

/** The messages of a POST, or the error response. */
type DecodedBody =
  | { readonly kind: 'messages'; readonly messages: readonly Message[] }
  | { readonly kind: 'error'; readonly error: ErrorResponse };

/** Messages of a batch, as in the SDK. */
const maxBatchSize = 100;

/**
 * Decodes the body of a POST, and checks it against the state of its session.
 *
 * @param session `undefined` without a session id: only `initialize` is allowed then
 */
export function decodeBody(body: unknown, request: IncomingMessage, session: Session | undefined): DecodedBody {
  if (session === undefined && !isInitializeRequest(body)) return failed(withoutSession(request, body));
  const version = session?.protocolVersion();
  if (Array.isArray(body) && (version !== '2025-03-26' || body.length === 0 || body.length > maxBatchSize)) {
    return failed(noBatch);
  }
  const items: readonly unknown[] = Array.isArray(body) ? body : [body];
  const messages = items.flatMap((item) => decodeMessage(item) ?? []);
  if (messages.length < items.length) return failed(noMessage);
  if (session === undefined) return { kind: 'messages', messages };

  if (messages.some((message) => 'method' in message && message.method === 'initialize')) return failed(initialized);
  const error = versionError(request) ?? duplicateError(messages, session) ?? fullError(messages, session);
  return error === undefined ? { kind: 'messages', messages } : failed(error);
}

/** Returns whether a message expects a response. */
export function isRequest(message: Message): message is Message & { readonly id: RequestId } {
  return 'method' in message && 'id' in message;
}

/** Returns the error for an `Mcp-Protocol-Version` that is not supported. Without the header, any version is meant. */
export function versionError(request: IncomingMessage): ErrorResponse | undefined {
  const version = headerOf(request, 'mcp-protocol-version');
  if (version === undefined || protocolVersions.includes(version)) return undefined;
  return { status: 400, message: `Unsupported protocol version; supported are ${protocolVersions.join(', ')}` };
}

/** Returns the value of a header, which joins several of them. */
export function headerOf({ headers }: IncomingMessage, name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value.join(', ') : value;
}

/** An id that is in flight, or twice in one batch, is refused before any message of the body is handled. */
function duplicateError(messages: readonly Message[], session: Session): ErrorResponse | undefined {
  const ids = new Set<RequestId>();
  for (const { id } of messages.filter(isRequest)) {
    if (ids.has(id) || session.isInFlight(id)) return { ...duplicateId, id };
    ids.add(id);
  }
  return undefined;
}

/**
 * A session that has as many requests in flight as it may have refuses another one with the response that it would get
 * anyway, and without an event stream for it. Of a batch, some may have room.
 */
function fullError([message, ...others]: readonly Message[], session: Session): ErrorResponse | undefined {
  if (message === undefined || others.length > 0 || !isRequest(message)) return undefined;
  const refusal = session.refusal();
  return refusal === undefined ? undefined : { status: 200, message: refusal, id: message.id };
}

function failed(error: ErrorResponse): DecodedBody {
  return { kind: 'error', error };
}

/** Only MCP 2025-03-26 has batches (MCP 2025-06-18, Changelog). */
const noBatch: ErrorResponse = {
  status: 400,
  code: errorCode.invalidRequest,
  message: `A body holds one message; in MCP 2025-03-26 it may be a batch of up to ${maxBatchSize}`,
};

const noMessage: ErrorResponse = {
  status: 400,
  code: errorCode.parseError,
  message: 'The body is no JSON-RPC message',
};

const initialized: ErrorResponse = {
  status: 400,
  code: errorCode.invalidRequest,
  message: 'The session is initialized already',
};

/** The error for a request without session id that is no `initialize`: it may be one of a revision without sessions. */
export function withoutSession(request: IncomingMessage, body: unknown): ErrorResponse {
  const requested = perRequestVersionOf(body) ?? headerOf(request, 'mcp-protocol-version');
  if (requested === undefined || protocolVersions.includes(requested)) return sessionMissing;
  if (requested === statelessVersion) return postOnly;
  return {
    status: 400,
    code: errorCode.unsupportedProtocolVersion,
    message: `Unsupported protocol version: ${requested}`,
    data: { supported: protocolVersions, requested },
    ...(isJSONRPCRequest(body) ? { id: body.id } : {}),
  };
}

/** MCP 2026-07-28, Streamable HTTP: there is no stream of a session, and no session to end. */
const postOnly: ErrorResponse = {
  status: 405,
  message: `MCP ${statelessVersion} has POST only`,
  headers: { allow: 'POST' },
};

function perRequestVersionOf(body: unknown): string | undefined {
  const version = isJSONRPCRequest(body) ? body.params?._meta?.[perRequestVersionKey] : undefined;
  return typeof version === 'string' ? version : undefined;
}
