import { asJsonObject, isJsonObject, type JsonObject, objectIn } from '../../../json/json.ts';
import type { JsonChange } from '../../../json/json-text.ts';
import type { Result } from '../../rpc/model.ts';
import { changed } from '../../rpc/source-text.ts';
import type { Task, TaskTable } from './task-table.ts';

/** The `_meta` member that names the task which a message is about (MCP 2025-11-25, Tasks). */
const relatedKey = 'io.modelcontextprotocol/related-task';

/** Returns the id of the task that a message is about. */
export function relatedTaskId(value: JsonObject | undefined): string | undefined {
  const id = objectIn(objectIn(value, '_meta'), relatedKey)['taskId'];
  return typeof id === 'string' ? id : undefined;
}

/** The change that lets a message name its task by another id, or by none: no other id of a target is passed on. */
function relatedChanges(value: JsonObject | undefined, id: string | undefined): readonly JsonChange[] {
  if (objectIn(value, '_meta')[relatedKey] === undefined) return [];
  const path = ['_meta', relatedKey];
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
export function withTaskId(result: Result, { id }: Task): Result {
  const changes: JsonChange[] = [...relatedChanges(result, id)];
  if (result['taskId'] !== undefined) changes.push({ path: ['taskId'], value: id });
  if (isJsonObject(result['task'])) changes.push({ path: ['task', 'taskId'], value: id });
  return changed(result, changes);
}

/** Returns the answer of a client with the target's id of the task that it is about. */
export function withUpstreamTask(result: Result, task: Task | undefined): Result {
  return changed(result, relatedChanges(asJsonObject(result), task?.upstreamId));
}
