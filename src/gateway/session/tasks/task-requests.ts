import type { Params, Result } from '../../rpc/model.ts';
import { subscribeTask } from '../../rpc/protocol.ts';
import { errorCode, RpcError } from '../../rpc/rpc-error.ts';
import { changed } from '../../rpc/source-text.ts';
import type { ClientRequest, TaskForm } from '../model.ts';
import { rewriteToolResult } from '../names/result-uris.ts';
import { forward } from '../routing/request-router.ts';
import { exposeState, withTaskId } from './task-ids.ts';
import { isUnknownAtTarget, listTasks, type TaskListParts } from './task-list.ts';
import type { TaskNotifications } from './task-notifications.ts';
import { isFinal, type Task, unknownTaskError } from './task-table.ts';

/** Dependencies of the requests about tasks. */
export interface TaskRequestParts extends TaskListParts {
  readonly ofTasks: Pick<TaskNotifications, 'watch'>;
}

type Handler = (request: ClientRequest) => Promise<Result>;

/**
 * Creates the handlers of the requests about tasks, by the form of tasks that the client knows. Each is decided anew as
 * a use of the tool that the task was created for, when it is asked and when the response is delivered.
 */
export function createTaskRequests(
  parts: TaskRequestParts,
): Readonly<Record<TaskForm, Readonly<Record<string, Handler>>>> {
  const { tasks, names, ofTasks } = parts;
  /** A task that its target has forgotten leaves its place. */
  const state = async (request: ClientRequest, hasResult: boolean): Promise<Answer> => {
    const task = findTask(parts, request);
    try {
      const result = await askFor(parts, task, request);
      tasks.note(task, result);
      // With MCP 2025-11-25, the result of a task that is completed has a request of its own.
      tasks.asked(task, isFinal(result) && (hasResult || result['status'] !== 'completed'));
      return { task, result };
    } catch (error) {
      if (isUnknownAtTarget(error)) tasks.remove(task);
      throw error;
    }
  };
  /** An error of the target is that of the call, or there is no such task any more: in both cases it is over. */
  const resultOf = async (request: ClientRequest): Promise<Answer> => {
    const task = findTask(parts, request);
    try {
      const result = await askFor(parts, task, request);
      tasks.note(task, { status: 'completed' });
      tasks.asked(task, true);
      return { task, result };
    } catch (error) {
      const isOver = error instanceof RpcError && error.received !== undefined;
      if (isOver) tasks.note(task, { status: 'failed' });
      tasks.asked(task, isOver);
      throw error;
    }
  };
  const acknowledged = async (request: ClientRequest): Promise<Answer> => {
    const task = findTask(parts, request);
    return { task, result: await askFor(parts, task, request) };
  };
  return {
    '2025-11-25': {
      async 'tasks/get'(request) {
        const { task, result } = await state(request, false);
        return withTaskId(result, task);
      },
      async 'tasks/cancel'(request) {
        const { task, result } = await acknowledged(request);
        tasks.note(task, result);
        tasks.asked(task, true);
        return withTaskId(result, task);
      },
      async 'tasks/result'(request) {
        const { task, result } = await resultOf(request);
        return withTaskId(rewriteToolResult(result, names.rewriterOf(task.tool.target)), task);
      },
      'tasks/list': (request) => listTasks(parts, request),
    },
    extension: {
      async 'tasks/get'(request) {
        const { task, result } = await state(request, true);
        return exposeState(result, task, names.rewriterOf(task.tool.target));
      },
      async 'tasks/update'(request) {
        const { task, result } = await acknowledged(request);
        tasks.asked(task, false);
        return withTaskId(result, task);
      },
      async 'tasks/cancel'(request) {
        const { task, result } = await acknowledged(request);
        // The client may have forgotten it.
        tasks.note(task, { status: 'cancelled' });
        tasks.asked(task, true);
        return withTaskId(result, task);
      },
      async [subscribeTask](request) {
        const { task } = await acknowledged(request);
        ofTasks.watch(task);
        return {};
      },
    },
  };
}

interface Answer {
  readonly task: Task;
  readonly result: Result;
}

/** @throws RpcError when there is no such task of this caller, or it may not use the tool any more */
function findTask({ tasks, authorization }: TaskRequestParts, { params, caller }: ClientRequest): Task {
  const id = params?.['taskId'];
  if (typeof id !== 'string') throw new RpcError(errorCode.invalidParams, 'Invalid params: taskId');
  const task = tasks.find(id, caller);
  if (task === undefined) throw unknownTaskError(id);
  authorization.authorize(task.tool.use, caller, task.tool.requestedName);
  return task;
}

async function askFor(parts: TaskRequestParts, task: Task, request: ClientRequest): Promise<Result> {
  const upstream = parts.upstreams.get(task.tool.target);
  if (upstream === undefined) throw unknownTaskError(task.id);
  const change = [{ path: ['taskId'], value: task.upstreamId }];
  const params = (): Params => changed(request.params ?? {}, change);
  return forward(parts, { ...task.tool, upstream }, request, params);
}
