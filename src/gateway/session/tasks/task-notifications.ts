import type { JsonChange } from '../../../json/json-text.ts';
import type { Caller } from '../../model.ts';
import type { Params } from '../../rpc/model.ts';
import { changed } from '../../rpc/source-text.ts';
import { relatedTaskId } from '../../rpc/task-states.ts';
import type { Authorization } from '../decisions/authorization.ts';
import type { Client, MayReceive, TaskForm } from '../model.ts';
import { exposeInput } from '../names/elicitation-ids.ts';
import type { Names } from '../names/names.ts';
import { exposedRelation, exposeState } from './task-ids.ts';
import type { Task, TaskTable } from './task-table.ts';

/** What targets tell of tasks, whose callers get it on the stream of the session. */
export interface TaskNotifications {
  /** Handles what a target says of the state of a task. */
  status(target: string, method: TaskStatusMethod, params: Params | undefined): void;
  /** Handles the progress of a call that has created a task. */
  progress(target: string, params: Params | undefined): void;
  /** The change for clients of a message that may be about a task. */
  relation(target: string, params: Params | undefined): readonly JsonChange[];
  /** Returns who may have a message that is about a task; `undefined` when it is about none. */
  receivers(target: string, params: Params | undefined): MayReceive | undefined;
  /** Remembers that the client listens to a task, of which a target is told once for each connection. */
  watch(task: Task): void;
  /** The tasks at one target that the client listens to, and that a caller may know when each is taken. */
  watchedAt(target: string, caller: Caller | undefined): Iterable<Task>;
}

/** The methods that tell the state of a task, each with the clients that know it. */
const forms = { 'notifications/tasks/status': '2025-11-25', 'notifications/tasks': 'extension' } as const;

type TaskStatusMethod = keyof typeof forms;

/** Returns whether a notification tells the state of a task. */
export function isTaskStatus(method: string): method is TaskStatusMethod {
  return Object.hasOwn(forms, method);
}

/** Dependencies of what targets tell of tasks. */
interface TaskNotificationParts {
  readonly tasks: TaskTable;
  readonly authorization: Pick<Authorization, 'allows'>;
  readonly client: Pick<Client, 'notify'>;
  readonly names: Pick<Names, 'rewriterOf'>;
  readonly handshake: { taskForm(): TaskForm | undefined };
}

/** Decides about each message when it is delivered: who has created the task, and may use its tool then. */
export function createTaskNotifications(parts: TaskNotificationParts): TaskNotifications {
  const { tasks, authorization, client, names, handshake } = parts;
  const mayKnow =
    (task: Task): MayReceive =>
    (caller: Caller) =>
      tasks.isOf(task, caller) && authorization.allows(task.tool.use, caller);
  const watched = new Set<Task>();
  const tell = (task: Task, method: string, params: Params, change: JsonChange): void => {
    const renamed = changed(params, [change, ...exposedRelation(tasks, task.tool.target, params)]);
    client.notify({ method, params: renamed }, mayKnow(task));
  };
  return {
    status(target, method, params) {
      const task = tasks.at(target, params?.['taskId']);
      if (task === undefined || params === undefined || handshake.taskForm() !== forms[method]) return;
      tasks.note(task, params);
      if (method === 'notifications/tasks/status') {
        tell(task, method, params, { path: ['taskId'], value: task.id });
      } else {
        const exposed = exposeInput(target, exposeState(params, task, names.rewriterOf(target)));
        client.notify({ method, params: exposed }, mayKnow(task));
      }
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
    watch: (task) => void watched.add(task),
    *watchedAt(target, caller) {
      for (const task of watched) {
        if (tasks.at(task.tool.target, task.upstreamId) !== task) watched.delete(task);
        else if (task.tool.target === target && caller !== undefined && mayKnow(task)(caller)) yield task;
      }
    },
  };
}
