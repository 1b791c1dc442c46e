import { isJsonObject, type JsonObject, objectIn } from '../../json/json.ts';
import type { JsonChange } from '../../json/json-text.ts';
import type { Result } from './model.ts';
import { relatedTaskKey, taskHandle, tasksExtension } from './protocol.ts';
import { errorCode, RpcError } from './rpc-error.ts';
import { changed, rememberMembers } from './source-text.ts';

/*
 * The two forms that the state of a task has: that of MCP 2025-11-25, and that of the extension of MCP 2026-07-28, which
 * names its times otherwise, and has the result, the error or the questions of the task inside.
 */

/** Returns whether one side has declared the extension. */
export function declaresTasks(capabilities: JsonObject): boolean {
  const extensions = objectIn(capabilities, 'extensions');
  return Object.hasOwn(extensions, tasksExtension) && isJsonObject(extensions[tasksExtension]);
}

/** Returns the capabilities with the extension. */
export function withTasksDeclared(capabilities: JsonObject): JsonObject {
  return { ...capabilities, extensions: { ...objectIn(capabilities, 'extensions'), [tasksExtension]: {} } };
}

/** The error response for a client that has not declared the extension, and needs it. */
export function missingTasksError(): RpcError {
  const code = errorCode.missingClientCapability;
  const message = 'Missing required client capability';
  const data = { requiredCapabilities: { extensions: { [tasksExtension]: {} } } };
  return new RpcError(code, message, { code, message, data });
}

/** Returns the id of the task that a message is about (MCP 2025-11-25, Tasks). */
export function relatedTaskId(value: JsonObject | undefined): string | undefined {
  const id = objectIn(objectIn(value, '_meta'), relatedTaskKey)['taskId'];
  return typeof id === 'string' ? id : undefined;
}

/** Returns a message that says which task it is about. */
export function aboutTask<T extends JsonObject>(value: T, taskId: string): T {
  const related = { taskId };
  const change = isJsonObject(value['_meta'])
    ? { path: ['_meta', relatedTaskKey], value: related }
    : { path: ['_meta'], value: { [relatedTaskKey]: related } };
  return changed(value, [change]);
}

/** Returns the state of a task of the extension as MCP 2025-11-25 has it. */
export function asEarlierState(state: Result): Result {
  const { ttlMs, pollIntervalMs } = state;
  return changed(state, [
    ...['resultType', 'result', 'error', 'inputRequests', 'ttlMs', 'pollIntervalMs'].map((name) => ({ path: [name] })),
    { path: ['ttl'], value: typeof ttlMs === 'number' ? ttlMs : null },
    ...(typeof pollIntervalMs === 'number' ? [{ path: ['pollInterval'], value: pollIntervalMs }] : []),
  ]);
}

/** Returns the handle of a task of the extension as MCP 2025-11-25 has it. */
export function asEarlierHandle(handle: Result): Result {
  const { _meta } = handle;
  rememberMembers(handle);
  const task = changed(asEarlierState(handle), [{ path: ['_meta'] }]);
  return _meta === undefined ? { task } : { task, _meta };
}

/** The changes of the state of a task of MCP 2025-11-25 that make it one of the extension. */
function laterNames({ ttl, pollInterval }: JsonObject): readonly JsonChange[] {
  return [
    { path: ['ttl'] },
    { path: ['pollInterval'] },
    { path: ['ttlMs'], value: typeof ttl === 'number' ? ttl : null },
    ...(typeof pollInterval === 'number' ? [{ path: ['pollIntervalMs'], value: pollInterval }] : []),
  ];
}

/** Returns the handle of a task of MCP 2025-11-25 as the extension has it; `undefined` for another result. */
export function asHandle(result: Result): Result | undefined {
  const { task, _meta } = result;
  if (!isJsonObject(task)) return undefined;
  rememberMembers(result);
  const meta = _meta === undefined ? {} : changed(_meta, [{ path: [relatedTaskKey] }]);
  return changed(task, [
    ...laterNames(task),
    { path: ['resultType'], value: taskHandle },
    ...(_meta === undefined ? [] : [{ path: ['_meta'], value: meta }]),
  ]);
}

/** What the state of a task has inside in the extension. */
export interface TaskContent {
  readonly status: string;
  readonly result?: JsonObject;
  readonly error?: JsonObject;
  readonly inputRequests?: JsonObject;
}

/** Returns the state of a task of MCP 2025-11-25 as the extension has it. */
export function asState(state: Result, content: TaskContent): Result {
  const inside = Object.entries(content).map(([name, value]) => ({ path: [name], value }));
  return changed(state, [...laterNames(state), ...inside]);
}
