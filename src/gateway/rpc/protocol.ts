/** Who speaks, in every handshake of either direction. The version is the package's. */
export const implementation: { readonly name: string; readonly version: string } = {
  name: 'gatehouse',
  version: '0.1.0',
};

/** The revisions of MCP with an `initialize` handshake, newest first. The first is what is offered to others. */
export const protocolVersions: readonly [string, ...string[]] = [
  '2025-11-25',
  '2025-06-18',
  '2025-03-26',
  '2024-11-05',
];

/** The `_meta` member by which the revision 2026-07-28 and later name themselves in every request. */
export const perRequestVersionKey = 'io.modelcontextprotocol/protocolVersion';

/** JSON-RPC 2.0 section 5.1, and the codes MCP adds. */
export const errorCode = {
  parseError: -32700,
  invalidRequest: -32600,
  methodNotFound: -32601,
  invalidParams: -32602,
  internalError: -32603,
  /** Of the server's own range: the other side is not there, or there is too much to do. */
  unavailable: -32000,
  /** What the SDKs send with HTTP 404 for a session that has ended. */
  sessionNotFound: -32001,
  /** MCP 2026-07-28: the revision that a request names is not served here. */
  unsupportedProtocolVersion: -32022,
} as const;
