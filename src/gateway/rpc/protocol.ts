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

/** The `_meta` member in which a client of MCP 2026-07-28 declares what it can do, in each request. */
export const perRequestCapabilitiesKey = 'io.modelcontextprotocol/clientCapabilities';

/** The `_meta` member with the least level of log messages that a client of MCP 2026-07-28 wants. */
export const perRequestLogLevelKey = 'io.modelcontextprotocol/logLevel';

/** The levels of log messages in MCP, those of RFC 5424, the least important first. */
export const logLevels: readonly string[] = [
  'debug',
  'info',
  'notice',
  'warning',
  'error',
  'critical',
  'alert',
  'emergency',
];

/** Returns how important a level is, from 0 on; `undefined` for what is none, which nothing may be compared with. */
export function severityOf(level: unknown): number | undefined {
  const index = typeof level === 'string' ? logLevels.indexOf(level) : -1;
  return index === -1 ? undefined : index;
}

/** The `_meta` member that names the listen request of a notification (MCP 2026-07-28). */
export const subscriptionIdKey = 'io.modelcontextprotocol/subscriptionId';

/** The `resultType` of a result that asks the client for something, from MCP 2026-07-28 on. */
export const inputRequired = 'input_required';

/**
 * The extension of MCP 2026-07-28 with which a call may create a task (SEP-2663), in the capabilities of both sides.
 */
export const tasksExtension = 'io.modelcontextprotocol/tasks';

/** The `resultType` of a result that is a handle of a task, in place of the result itself. */
export const taskHandle = 'task';

/** The `_meta` member that names the task which a message is about (MCP 2025-11-25, Tasks). */
export const relatedTaskKey = 'io.modelcontextprotocol/related-task';

/**
 * The request of the gateway's own rooms to be told of a task by `subscriptions/listen`, in which it becomes one of the
 * `taskIds`. No revision has this method, so that neither clients nor targets are asked for it.
 */
export const subscribeTask = 'tasks/subscribe';

/**
 * Levels of objects and arrays in a message that is passed on. No MCP message is nested deeper; `JSON.parse` accepts
 * any depth, but `JSON.stringify` of such a value overflows the stack.
 */
export const maxDepth = 500;
