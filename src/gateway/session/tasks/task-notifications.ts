import type { JsonChange } from '../../../json/json-text.ts';
import type { Caller } from '../../model.ts';
import type { Params } from '../../rpc/model.ts';
import { changed } from '../../rpc/source-text.ts';
import type { Authorization } from '../authorization.ts';
import type { Client, MayReceive } from '../model.ts';
import { exposedRelation, relatedTaskId } from './task-ids.ts';
import type { Task, TaskTable } from './task-table.ts';

/** What targets tell of tasks, whose callers get it on the stream of the session. */
export interface TaskNotifications {
  /** Handles `notifications/tasks/status`. */
  status(target: string, params: Params | undefined): void;
  /** Handles the progress of a call that has created a task. */
  progress(target: string, params: Params | undefined): void;
  /** The change for clients of a message that may be about a task. */
  relation(target: string, params: Params | undefined): readonly JsonChange[];
  /** Returns who may have a message that is about a task; `undefined` when it is about none. */
  receivers(target: string, params: Params | undefined): MayReceive | undefined;
}

/** Decides about each message when it is delivered: who has created the task, and may use its tool then. */
export function createTaskNotifications(
  tasks: TaskTable,
  authorization: Pick<Authorization, 'allows'>,
  client: Pick<Client, 'notify'>,
): TaskNotifications {
  const mayKnow =
    (task: Task): MayReceive =>
    (caller: Caller) =>
      tasks.isOf(task, caller) && authorization.allows(task.tool.use, caller);
  const tell = (task: Task, method: string, params: Params, change: JsonChange): void => {
    const renamed = changed(params, [change, ...exposedRelation(tasks, task.tool.target, params)]);
    client.notify({ method, params: renamed }, mayKnow(task));
  };
  return {
    status(target, params) {
      const task = tasks.at(target, params?.['taskId']);
      if (task === undefined || params === undefined) return;
      tasks.note(task, params['status']);
      tell(task, 'notifications/tasks/status', params, { path: ['taskId'], value: task.id });
    },
    progress(target, params) {
      const task = tasks.withProgress(target, params?.['progressToken']);
      if (task?.progress === undefined || params === undefined) return;
      tell(task, 'notifications/progress', params, { path: ['progressToken'], value: task.progress.ofClient });
    },
    relation: (target, params) => exposedRelation(tasks, target, params),
    receivers(target, params) {
      const task = tasks.at(target, relatedTaskId(params));
      return task && mayKnow(task);
    },
  };
}
