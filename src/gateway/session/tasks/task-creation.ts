import { isJsonObject, objectIn } from '../../../json/json.ts';
import type { JsonChange } from '../../../json/json-text.ts';
import type { Result } from '../../rpc/model.ts';
import { errorCode, RpcError } from '../../rpc/rpc-error.ts';
import type { Capabilities } from '../../upstream/model.ts';
import type { ClientRequest } from '../model.ts';
import { withTaskId } from './task-ids.ts';
import type { TaskPlace, TaskTable, TaskTool } from './task-table.ts';

/** A call that may create a task at its target. */
export interface TaskCreation extends Disposable {
  /**
   * The changes of the parameters: a target that has no tasks is not asked for one, and processes the call normally, as
   * a receiver without the capability has to (MCP 2025-11-25, Tasks).
   *
   * @param about what the target knows as the progress token of the call
   */
  changes(capabilities: Capabilities, about: number): readonly JsonChange[];
  /** Returns the result for the client when it says that a task was created. */
  created(result: Result): Result | undefined;
}

/** The longest id of a task, and name of its tool: both are kept for as long as the task. */
const maxLength = 1_024;

const withoutTask: readonly JsonChange[] = [{ path: ['task'] }];

/** A call without task. */
const noCreation: TaskCreation = { changes: () => withoutTask, created: () => undefined, [Symbol.dispose]() {} };

/**
 * Holds a place for the task that a call asks for.
 *
 * @param isOffered whether the client was told of tasks
 * @throws RpcError when there is no room for a task
 */
export function beginTask(tasks: TaskTable, tool: TaskTool, request: ClientRequest, isOffered: boolean): TaskCreation {
  const { params, caller } = request;
  if (!isOffered || !isJsonObject(params?.['task'])) return noCreation;
  if (tool.use.name.length > maxLength || tool.requestedName.length > maxLength) {
    const message = `Invalid params: the name of a tool with a task has at most ${maxLength} characters`;
    throw new RpcError(errorCode.invalidParams, message);
  }
  const place: TaskPlace = tasks.reserve(caller);
  const token = params._meta?.progressToken;
  let about: number | undefined;
  return {
    changes(capabilities, known) {
      if (!hasTaskCalls(capabilities)) return withoutTask;
      about = known;
      return [];
    },
    created(result) {
      if (about === undefined || !isJsonObject(result['task'])) return undefined;
      const { taskId, status, ttl } = result['task'];
      if (typeof taskId !== 'string' || taskId === '' || taskId.length > maxLength) {
        const message = `Target ${tool.target} has created a task without a usable id`;
        throw new RpcError(errorCode.unavailable, message);
      }
      const ofClient = typeof token === 'string' && token.length > maxLength ? undefined : token;
      const progress = ofClient === undefined ? undefined : { ofTarget: about, ofClient };
      const lifetime = typeof ttl === 'number' && ttl >= 0 ? ttl : undefined;
      const { target, name, use, requestedName } = tool;
      const task = place.add({ upstreamId: taskId, tool: { target, name, use, requestedName }, progress }, lifetime);
      tasks.note(task, status);
      return withTaskId(result, task);
    },
    [Symbol.dispose]: place.release,
  };
}

/** Returns whether a target creates tasks for calls of tools. */
function hasTaskCalls(capabilities: Capabilities): boolean {
  return isJsonObject(objectIn(objectIn(capabilities['tasks'], 'requests'), 'tools')['call']);
}
