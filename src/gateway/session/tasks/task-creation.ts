import { isJsonObject, type JsonObject, objectIn } from '../../../json/json.ts';
import type { JsonChange } from '../../../json/json-text.ts';
import type { Result } from '../../rpc/model.ts';
import { taskHandle } from '../../rpc/protocol.ts';
import { errorCode, RpcError } from '../../rpc/rpc-error.ts';
import type { Capabilities, UpstreamSession } from '../../upstream/model.ts';
import type { ClientRequest, TaskForm } from '../model.ts';
import { sendUnawaited, type UpstreamState } from '../upstream-sessions.ts';
import { withTaskId } from './task-ids.ts';
import type { Task, TaskPlace, TaskTable, TaskTool } from './task-table.ts';

/** A call that may create a task at its target. */
export interface TaskCreation extends Disposable {
  /**
   * The changes of the parameters: a target that has no tasks is not asked for one, and processes the call normally, as
   * a receiver without the capability has to (MCP 2025-11-25, Tasks). With the extension, the target alone decides.
   *
   * @param about what the target knows as the progress token of the call
   */
  changes(capabilities: Capabilities, about: number): readonly JsonChange[];
  /**
   * Returns the result for the client when it says that a task was created.
   *
   * @throws RpcError when the client was told of no tasks, or there is no room for one
   */
  created(result: Result): Result | undefined;
}

/** What the creation of a task needs of its session, and of all sessions. */
interface TaskCreationParts {
  readonly tasks: TaskTable;
  readonly upstreamState: Pick<UpstreamState, 'budget'>;
}

/** The tool of a call, and where it is called. */
type CalledTool = TaskTool & { readonly upstream: Pick<UpstreamSession, 'request'> };

/** The longest id of a task, and name of its tool: both are kept for as long as the task. */
const maxLength = 1_024;

const withoutTask: readonly JsonChange[] = [{ path: ['task'] }];

/** Begins a call, which may create a task if the client was told of tasks. */
export function beginTask(
  parts: TaskCreationParts,
  tool: CalledTool,
  request: ClientRequest,
  form: TaskForm | undefined,
): TaskCreation {
  if (form === 'extension') return beginDirected(parts, tool, request);
  if (form === '2025-11-25' && isJsonObject(request.params?.['task'])) return beginRequested(parts, tool, request);
  return {
    changes: () => withoutTask,
    created(result) {
      if (result['resultType'] !== taskHandle) return undefined;
      throw new RpcError(errorCode.unavailable, `Target ${tool.target} has created a task that nobody asked for`);
    },
    [Symbol.dispose]() {},
  };
}

/** Holds a place for the task that the client asks for, so that a refusal comes before there is anything to refuse. */
function beginRequested(
  { tasks }: TaskCreationParts,
  tool: CalledTool,
  { params, caller }: ClientRequest,
): TaskCreation {
  expectShort(tool);
  const place = tasks.reserve(caller);
  const token = params?._meta?.progressToken;
  let about: number | undefined;
  return {
    changes(capabilities, known) {
      if (!hasTaskCalls(capabilities)) return withoutTask;
      about = known;
      return [];
    },
    created(result) {
      if (about === undefined || !isJsonObject(result['task'])) return undefined;
      const ofClient = typeof token === 'string' && token.length > maxLength ? undefined : token;
      const progress = ofClient === undefined ? undefined : { ofTarget: about, ofClient };
      return withTaskId(result, addTo(place, tool, result['task'], progress));
    },
    [Symbol.dispose]: place.release,
  };
}

/**
 * A target that creates tasks as it likes needs a place when it has created one: to hold one for each call would refuse
 * calls that create none. Without room the task is cancelled.
 */
function beginDirected(
  { tasks, upstreamState }: TaskCreationParts,
  tool: CalledTool,
  { caller }: ClientRequest,
): TaskCreation {
  return {
    changes: () => withoutTask,
    created(result) {
      if (result['resultType'] !== taskHandle) return undefined;
      try {
        expectShort(tool);
        return withTaskId(result, addTo(tasks.reserve(caller), tool, result, undefined));
      } catch (error) {
        const { taskId } = result;
        sendUnawaited(upstreamState, tool, ['tasks/cancel', { taskId }], new AbortController().signal);
        throw error;
      }
    },
    [Symbol.dispose]() {},
  };
}

function expectShort({ use, requestedName }: TaskTool): void {
  if (use.name.length <= maxLength && requestedName.length <= maxLength) return;
  const message = `Invalid params: the name of a tool with a task has at most ${maxLength} characters`;
  throw new RpcError(errorCode.invalidParams, message);
}

/** @throws RpcError when its id is of no use; the place is given back then */
function addTo(place: TaskPlace, tool: CalledTool, state: JsonObject, progress: Task['progress']): Task {
  const { taskId } = state;
  if (typeof taskId !== 'string' || taskId === '' || taskId.length > maxLength) {
    place.release();
    throw new RpcError(errorCode.unavailable, `Target ${tool.target} has created a task without a usable id`);
  }
  const { target, name, use, requestedName } = tool;
  return place.add({ upstreamId: taskId, tool: { target, name, use, requestedName }, progress }, state);
}

/** Returns whether a target creates tasks for calls of tools that ask for one. */
function hasTaskCalls(capabilities: Capabilities): boolean {
  return isJsonObject(objectIn(objectIn(capabilities['tasks'], 'requests'), 'tools')['call']);
}
