import { changed } from './source-text.ts';

/** Error codes of JSON-RPC 2.0 (section 5.1) and of MCP. */
export const errorCode = {
  parseError: -32700,
  invalidRequest: -32600,
  methodNotFound: -32601,
  invalidParams: -32602,
  internalError: -32603,
  /** Server error: the other side cannot be reached, or too many requests are in flight. */
  unavailable: -32000,
  /** The code that the MCP SDKs send with HTTP 404 for a session that has ended. */
  sessionNotFound: -32001,
  /** MCP 2026-07-28: a header does not say what the body says. */
  headerMismatch: -32020,
  /** MCP 2026-07-28: the request needs something that the client has not declared. */
  missingClientCapability: -32021,
  /** MCP 2026-07-28: the protocol version of the request is not supported. */
  unsupportedProtocolVersion: -32022,
  /** Up to MCP 2025-11-25: the resource does not exist. Later revisions have {@link invalidParams} in its place. */
  resourceNotFound: -32002,
  /** MCP 2025-11-25: the user has to open a page first. Later revisions ask for that by a result. */
  urlElicitationRequired: -32042,
} as const;

/** Codes of earlier revisions that MCP 2026-07-28 forbids, and what it has in their place. */
const replacedCodes: ReadonlyMap<unknown, number> = new Map([
  [errorCode.resourceNotFound, errorCode.invalidParams],
  // What can be asked for by a result was; see upstream/elicitation-required.ts.
  [errorCode.urlElicitationRequired, errorCode.invalidRequest],
]);

/** Returns the `error` member of a response, or of the state of a task, as MCP 2026-07-28 has it. */
export function asLaterError<T extends object & { readonly code?: unknown }>(error: T): T {
  const value = replacedCodes.get(error.code);
  return value === undefined ? error : changed(error, [{ path: ['code'], value }]);
}

/** The `error` member of a response. */
interface ErrorObject {
  code: number;
  message: string;
  data?: unknown;
}

/** A JSON-RPC error response. */
export class RpcError extends Error {
  override readonly name = 'RpcError';

  readonly code: number;

  /** The error as it arrived, with every member; `undefined` for an error of the gateway itself. */
  readonly received: ErrorObject | undefined;

  constructor(code: number, message: string, received?: ErrorObject) {
    super(message);
    this.code = code;
    this.received = received;
  }
}

/**
 * The `error` member of a response. Any error but an {@link RpcError} becomes "Internal error", so that no detail
 * leaks.
 */
export function errorObjectOf(error: unknown): ErrorObject {
  if (!(error instanceof RpcError)) return { code: errorCode.internalError, message: 'Internal error' };
  const { code, message, received } = error;
  return received ?? { code, message };
}
