/** `serverInfo` and `clientInfo` of every handshake. The version is that of the package. */
export const implementation: { readonly name: string; readonly version: string } = {
  name: 'gatehouse',
  version: '0.2.0',
};

/**
 * The MCP revisions with an `initialize` handshake that are supported, newest first. The first one is offered to
 * targets.
 */
export const protocolVersions: readonly [string, ...string[]] = [
  '2025-11-25',
  '2025-06-18',
  '2025-03-26',
  '2024-11-05',
];

/** The MCP revision without handshake and sessions: each request says all that it needs. */
export const statelessVersion = '2026-07-28';

/** The `_meta` member that names the protocol version of a request, from MCP 2026-07-28 on. */
export const perRequestVersionKey = 'io.modelcontextprotocol/protocolVersion';

/**
 * Levels of objects and arrays in a message that is passed on. No MCP message is nested deeper; `JSON.parse` accepts any
 * depth, but `JSON.stringify` of such a value overflows the stack.
 */
export const maxDepth = 500;
