import type { IncomingMessage } from 'node:http';
import { isJsonObject, type JsonObject } from '../../../json/json.ts';
import { decodeMessage } from '../../rpc/decode-message.ts';
import type { Params, RequestId } from '../../rpc/model.ts';
import {
  perRequestCapabilitiesKey,
  perRequestLogLevelKey,
  perRequestVersionKey,
  protocolVersions,
  statelessVersion,
  subscribeTask,
} from '../../rpc/protocol.ts';
import { decodeHeader, namedIn } from '../../rpc/repeated-headers.ts';
import { errorCode } from '../../rpc/rpc-error.ts';
import { headerOf } from '../decode-post.ts';
import type { ErrorResponse } from '../error-response.ts';

/** A request of MCP 2026-07-28, whose headers say what its body says. */
export interface StatelessRequest {
  readonly id: RequestId;
  readonly method: string;
  readonly params: Params;
  /** What the client has declared in this request. */
  readonly capabilities: JsonObject;
  /** The least level of log messages that the client wants; without one it gets none. */
  readonly logLevel: string | undefined;
  /** The headers `mcp-param-*`. */
  readonly paramHeaders: JsonObject;
}

/** A request, a notification, or the error response. */
type Decoded =
  | { readonly kind: 'request'; readonly request: StatelessRequest }
  | { readonly kind: 'notification' }
  | { readonly kind: 'error'; readonly error: ErrorResponse };

/** Methods of earlier revisions that this one does not have, and one that only the gateway itself uses. */
const removed: readonly string[] = [
  'initialize',
  'ping',
  'logging/setLevel',
  'resources/subscribe',
  'resources/unsubscribe',
  subscribeTask,
];

/**
 * Returns whether a POST without a session is of the revision without sessions: it names a version in its body, another
 * version than those with a handshake in its header, or the method that only this revision has.
 */
export function isStateless(body: unknown, request: IncomingMessage): boolean {
  if (!isJsonObject(body)) return false;
  const meta = metaOf(body);
  if (meta !== undefined && Object.hasOwn(meta, perRequestVersionKey)) return true;
  return headerOf(request, 'mcp-protocol-version') === statelessVersion || body['method'] === 'server/discover';
}

/** Decodes the body of such a POST, and checks it against the headers. */
export function decodeStateless(body: unknown, request: IncomingMessage): Decoded {
  const message = decodeMessage(body);
  if (message === undefined || !('method' in message)) return failed(noRequest);
  if (!('id' in message)) return { kind: 'notification' };
  const { id, method, params } = message;
  const meta = isJsonObject(body) ? metaOf(body) : undefined;
  const error = versionError(meta, request) ?? headerError(method, params, request);
  if (error !== undefined) return failed({ ...error, id });
  if (removed.includes(method)) return failed({ ...noMethod, id });
  const capabilities = meta?.[perRequestCapabilitiesKey];
  const logLevel = meta?.[perRequestLogLevelKey];
  return {
    kind: 'request',
    request: {
      id,
      method,
      params: params ?? {},
      capabilities: isJsonObject(capabilities) ? capabilities : {},
      logLevel: typeof logLevel === 'string' ? logLevel : undefined,
      paramHeaders: Object.fromEntries(
        Object.entries(request.headers).filter(([name]) => name.startsWith('mcp-param-')),
      ),
    },
  };
}

/**
 * The response of a server without this method: status 404 tells it from a refusal that other requests would get, too.
 */
const noMethod: ErrorResponse = { status: 404, code: errorCode.methodNotFound, message: 'Method not found' };

function metaOf(body: JsonObject): JsonObject | undefined {
  const params = body['params'];
  const meta = isJsonObject(params) ? params['_meta'] : undefined;
  return isJsonObject(meta) ? meta : undefined;
}

function versionError(meta: JsonObject | undefined, request: IncomingMessage): ErrorResponse | undefined {
  const header = headerOf(request, 'mcp-protocol-version');
  const version = meta?.[perRequestVersionKey];
  if (typeof version !== 'string' || !isJsonObject(meta?.[perRequestCapabilitiesKey])) {
    return invalid(
      errorCode.invalidParams,
      `Invalid params: _meta needs ${perRequestVersionKey} and ${perRequestCapabilitiesKey}`,
    );
  }
  if (header !== version) return mismatch('MCP-Protocol-Version', perRequestVersionKey);
  if (version === statelessVersion) return undefined;
  const data = { supported: [statelessVersion, ...protocolVersions], requested: version };
  return { ...invalid(errorCode.unsupportedProtocolVersion, `Unsupported protocol version: ${version}`), data };
}

function headerError(method: string, params: Params | undefined, request: IncomingMessage): ErrorResponse | undefined {
  if (headerOf(request, 'mcp-method') !== method) return mismatch('Mcp-Method', 'method');
  const name = namedIn(method, params);
  // What is no text is an error of its own.
  if (name === undefined) return undefined;
  const header = headerOf(request, 'mcp-name');
  const said = header === undefined ? undefined : decodeHeader(header);
  return said === name ? undefined : mismatch('Mcp-Name', 'the name or URI');
}

function mismatch(header: string, member: string): ErrorResponse {
  return invalid(errorCode.headerMismatch, `Header mismatch: ${header} does not say what ${member} in the body says`);
}

function invalid(code: number, message: string): ErrorResponse {
  return { status: 400, code, message };
}

function failed(error: ErrorResponse): Decoded {
  return { kind: 'error', error };
}

const noRequest: ErrorResponse = invalid(errorCode.invalidRequest, 'The body is no JSON-RPC request');
