import { asJsonObject, isJsonObject, type JsonObject } from '../../../json/json.ts';
import { within } from '../../../net/deadline.ts';
import { callerKey } from '../../callers.ts';
import type { MessageSize, Params, Result } from '../../rpc/model.ts';
import { errorCode, RpcError } from '../../rpc/rpc-error.ts';
import { changed } from '../../rpc/source-text.ts';
import { BudgetLease } from '../../upstream/budget-lease.ts';
import { listTimeout, readPages } from '../lists/list-pages.ts';
import type { SharedListing } from '../lists/shared-listing.ts';
import type { ClientRequest } from '../model.ts';
import { rewriteToolResult } from '../names/result-uris.ts';
import { forward, type RouterParts } from '../request-router.ts';
import { withTaskId } from './task-ids.ts';
import { type Task, unknownTaskError } from './task-table.ts';

/** Dependencies of the requests about tasks. */
export interface TaskRequestParts extends RouterParts {
  readonly sharedListing: Pick<SharedListing, 'budget' | 'turns'>;
}

type Handler = (request: ClientRequest) => Promise<Result>;

/** Requests for single tasks that one list makes at the same time. */
const maxTogether = 16;

const taskList = { method: 'tasks/list', member: 'tasks', capability: 'tasks' } as const;

/** A target does not know a task any more (MCP 2025-11-25, Tasks, Protocol Errors). */
const isUnknown = (error: unknown): boolean => error instanceof RpcError && error.code === errorCode.invalidParams;

/**
 * Creates the handlers of the requests about tasks (MCP 2025-11-25). Each is decided anew as a use of the tool that the
 * task was created for, when it is asked and when the response is delivered.
 */
export function createTaskRequests(parts: TaskRequestParts): Readonly<Record<string, Handler>> {
  const { tasks, names } = parts;
  const ask = async (request: ClientRequest): Promise<{ readonly task: Task; readonly result: Result }> => {
    const task = findTask(parts, request);
    return { task, result: await askFor(parts, task, request) };
  };
  const status = async (request: ClientRequest): Promise<Result> => {
    const { task, result } = await ask(request);
    tasks.note(task, result['status']);
    return withTaskId(result, task);
  };
  return {
    'tasks/get': status,
    'tasks/cancel': status,
    async 'tasks/result'(request) {
      const { task, result } = await ask(request);
      tasks.note(task, 'completed');
      return withTaskId(rewriteToolResult(result, names.rewriterOf(task.tool.target)), task);
    },
    async 'tasks/list'(request) {
      if (request.params?.['cursor'] !== undefined) throw new RpcError(errorCode.invalidParams, 'Invalid cursor');
      request.decides((caller) => tasks.of(request.caller).every((task) => mayKnow(parts, task, caller)));
      const { found, leases } = await listTasks(parts, request);
      for (const lease of leases) lease.release();
      const known = tasks.of(request.caller).filter((task) => mayKnow(parts, task, request.caller));
      return { tasks: known.flatMap((task) => found.get(task) ?? []) };
    },
  };
}

function mayKnow({ authorization, tasks }: TaskRequestParts, task: Task, caller: ClientRequest['caller']): boolean {
  return tasks.isOf(task, caller) && authorization.allows(task.tool.use, caller);
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
  return forward(parts, { ...task.tool, upstream }, request, () => changed(request.params ?? {}, change));
}

/** What targets say of tasks, and what their lists hold of the budget of all targets until they are not needed. */
interface CollectedTasks {
  readonly found: Map<Task, JsonObject>;
  readonly leases: BudgetLease[];
}

/**
 * Asks the targets for their lists of tasks, and then for each that none of them has. Only tasks of this session are
 * taken: to a target, all callers of a gateway may be one.
 */
async function listTasks(parts: TaskRequestParts, request: ClientRequest): Promise<CollectedTasks> {
  const { tasks, clock, sharedListing } = parts;
  const collected: CollectedTasks = { found: new Map(), leases: [] };
  const { found } = collected;
  const own = tasks.of(request.caller).filter((task) => mayKnow(parts, task, request.caller));
  const targets = new Set(own.map(({ tool }) => tool.target));
  const reads = { own: Math.max(targets.size, maxTogether), shared: 0 };
  const release = await sharedListing.turns.toRead(callerKey(request.caller), reads);
  const limit = { clock, milliseconds: listTimeout, signal: request.signal };
  await within(limit, async (signal) => {
    await Promise.all([...targets].map((target) => readList(parts, target, signal, collected)));
    const missing = own.filter((task) => !found.has(task));
    for (let from = 0; from < missing.length && !signal.aborted; from += maxTogether) {
      const asked = missing.slice(from, from + maxTogether).map((task) => readOne(parts, task, signal, found));
      await Promise.all(asked);
    }
  })
    .catch(() => {})
    .finally(release);
  return collected;
}

async function readList(
  parts: TaskRequestParts,
  target: string,
  signal: AbortSignal,
  { found, leases }: CollectedTasks,
): Promise<void> {
  const { tasks, upstreams, sharedListing } = parts;
  const upstream = upstreams.get(target);
  if (upstream === undefined) return;
  const lease = new BudgetLease(sharedListing.budget.lists, target);
  const hold = { grow: ({ bytes }: MessageSize) => lease.grow(bytes) };
  leases.push(lease);
  try {
    for (const entry of await readPages(upstream, taskList, { params: {}, signal }, hold)) {
      const task = tasks.at(target, asJsonObject(entry)['taskId']);
      if (task !== undefined && isJsonObject(entry)) keep(parts, task, entry, found);
    }
  } catch {
    // Each task is asked for instead.
  }
}

async function readOne(
  parts: TaskRequestParts,
  task: Task,
  signal: AbortSignal,
  found: Map<Task, JsonObject>,
): Promise<void> {
  const params: Params = { taskId: task.upstreamId };
  try {
    const result = await parts.upstreams.get(task.tool.target)?.request('tasks/get', params, signal);
    if (result !== undefined) keep(parts, task, result, found);
  } catch (error) {
    if (isUnknown(error)) parts.tasks.remove(task);
  }
}

function keep({ tasks }: TaskRequestParts, task: Task, said: JsonObject, found: Map<Task, JsonObject>): void {
  tasks.note(task, said['status']);
  found.set(task, changed(said, [{ path: ['taskId'], value: task.id }]));
}
