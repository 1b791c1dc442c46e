import { asJsonObject, isJsonObject, type JsonObject, objectIn } from '../../../json/json.ts';
import type { JsonChange } from '../../../json/json-text.ts';
import type { Result } from '../../rpc/model.ts';
import { relatedTaskKey } from '../../rpc/protocol.ts';
import { asLaterError } from '../../rpc/rpc-error.ts';
import { changed, rememberMembers } from '../../rpc/source-text.ts';
import { relatedTaskId } from '../../rpc/task-states.ts';
import { exposeElicitationsIn } from '../names/elicitation-ids.ts';
import type { UriRewriter } from '../names/resource-uris.ts';
import { rewriteToolResult } from '../names/result-uris.ts';
import type { Task, TaskTable } from './task-table.ts';

/** The change that lets a message name its task by another id, or by none: no other id of a target is passed on. */
function relatedChanges(value: JsonObject | undefined, id: string | undefined): readonly JsonChange[] {
  if (objectIn(value, '_meta')[relatedTaskKey] === undefined) return [];
  const path = ['_meta', relatedTaskKey];
  return [id === undefined ? { path } : { path, value: { taskId: id } }];
}

/** The change for the client of a message of a target. */
export function exposedRelation(
  tasks: Pick<TaskTable, 'at'>,
  target: string,
  params: JsonObject | undefined,
): readonly JsonChange[] {
  const upstreamId = relatedTaskId(params);
  return relatedChanges(params, upstreamId === undefined ? undefined : tasks.at(target, upstreamId)?.id);
}

/** Returns a result that is about one task with the client's id of it, wherever one may be. */
export function withTaskId<T extends JsonObject & Result>(result: T, { id }: Task): T {
  const changes: JsonChange[] = [...relatedChanges(result, id)];
  if (result['taskId'] !== undefined) changes.push({ path: ['taskId'], value: id });
  if (isJsonObject(result['task'])) changes.push({ path: ['task', 'taskId'], value: id });
  return changed(result, changes);
}

/**
 * Returns the state of a task of the extension for the client: what it has inside as the result or the error of the
 * call is as if it came without a task. What it asks for is no matter of tasks; see `exposeInput`.
 */
export function exposeState<T extends JsonObject & Result>(state: T, task: Task, rewrite: UriRewriter): T {
  const { result, error } = state;
  const changes: JsonChange[] = [];
  rememberMembers(state);
  if (isJsonObject(result)) {
    const exposed = rewriteToolResult(changed(result, relatedChanges(result, undefined)), rewrite);
    if (exposed !== result) changes.push({ path: ['result'], value: exposed });
  }
  if (isJsonObject(error)) {
    const exposed = asLaterError(exposeElicitationsIn(task.tool.target, error));
    if (exposed !== error) changes.push({ path: ['error'], value: exposed });
  }
  for (const [name, request] of Object.entries(objectIn(state, 'inputRequests'))) {
    const related = relatedChanges(objectIn(request, 'params'), undefined);
    changes.push(...related.map(({ path }) => ({ path: ['inputRequests', name, 'params', ...path] })));
  }
  return withTaskId(changed(state, changes), task);
}

/** Returns the answer of a client with the target's id of the task that it is about. */
export function withUpstreamTask(result: Result, task: Task | undefined): Result {
  return changed(result, relatedChanges(asJsonObject(result), task?.upstreamId));
}
