import { asJsonObject, isJsonObject, type JsonObject, objectIn, objectsOf } from '../../../json/json.ts';
import { within } from '../../../net/deadline.ts';
import type { IncomingRequest, Params, Result } from '../../rpc/model.ts';
import { relatedTaskKey, subscribeTask } from '../../rpc/protocol.ts';
import { errorCode, RpcError } from '../../rpc/rpc-error.ts';
import { changed, lengthOf, rememberMembers } from '../../rpc/source-text.ts';
import {
  aboutTask,
  asHandle,
  asState,
  declaresTasks,
  missingTasksError,
  relatedTaskId,
  type TaskContent,
} from '../../rpc/task-states.ts';
import { answerSizeOf, noteAnswerSize } from '../answer-size.ts';
import { asksForUnknownMode, canBeAsked } from '../input-required.ts';
import type { Connection, Lost, UpstreamParts } from '../model.ts';

/** Tasks of one connection that are known, and questions of them that wait for the client. */
const maxTasks = 1_024;
const maxQuestions = 16;

/** Characters of a question in JSON. */
const maxQuestion = 16 * 1024;

/** Tools of a target whose calls have to be tasks, and pages of its list that are read to learn them. */
const maxTools = 1_000;
const maxPages = 20;

/** What a question of a task waits for. */
interface Question {
  readonly json: JsonObject;
  answer(answer: JsonObject): void;
  refuse(reason: Error): void;
}

/** A task at the target. */
interface OpenTask {
  /** By the name under which the client answers. No other question of the task ever has it. */
  readonly questions: Map<string, Question>;
  /** Aborts the request for its result, on whose stream it asks; `undefined` without one. */
  reading: AbortController | undefined;
}

/** Keeps of some names as many as there is room for. */
type KeepNames = (names: readonly string[], bytesOf: (name: string) => number) => readonly string[];

/** Returns the tools whose calls have to be tasks, after some were listed (MCP 2025-11-25, `execution.taskSupport`). */
export function withTaskTools(
  known: ReadonlySet<string> = new Set(),
  tools: unknown,
  keep: KeepNames,
): ReadonlySet<string> {
  const changedTools = new Set(known);
  for (const tool of objectsOf(tools)) {
    const { name } = tool;
    if (typeof name !== 'string') continue;
    if (objectIn(tool, 'execution')['taskSupport'] !== 'required') changedTools.delete(name);
    else if (changedTools.size < maxTools) changedTools.add(name);
  }
  return new Set(keep([...changedTools], (name) => 100 + 2 * name.length));
}

/**
 * Connects to a target of an earlier revision for clients of MCP 2026-07-28. The tasks of MCP 2025-11-25 are those of
 * the extension then: the calls of tools that have to be tasks become some, the state of a task has its result inside,
 * and what it asks the client for.
 */
export async function connectExtended(
  connect: (parts: UpstreamParts, lost: Lost) => Promise<Connection>,
  parts: UpstreamParts,
  lost: Lost,
): Promise<Connection> {
  const tasks = new Map<string, OpenTask>();
  const startedAt = parts.clock.now();
  let lastQuestion = 0;
  const own: UpstreamParts = {
    ...parts,
    request(request, about) {
      lastQuestion += 1;
      // Another connection may have asked for the same task before.
      return takeQuestion(parts, tasks, `${startedAt}-${lastQuestion}`, request) ?? parts.request(request, about);
    },
  };
  const connection = await connect(own, (reason) => {
    for (const id of [...tasks.keys()]) forget(tasks, id);
    lost(reason);
  });
  const createsTasks = isJsonObject(
    objectIn(objectIn(connection.handshake.capabilities['tasks'], 'requests'), 'tools')['call'],
  );
  const request = createsTasks ? createAdapter(connection, parts, tasks) : connection.request;
  return {
    ...connection,
    request(method, ...rest) {
      if (method === subscribeTask) return Promise.reject(new RpcError(errorCode.methodNotFound, 'Method not found'));
      return request(method, ...rest);
    },
    close(reason) {
      for (const id of [...tasks.keys()]) forget(tasks, id);
      return connection.close(reason);
    },
  };
}

function createAdapter(
  connection: Connection,
  parts: UpstreamParts,
  tasks: Map<string, OpenTask>,
): Connection['request'] {
  /** Asks for the result, since a target asks the client on the stream of that response, until it asks no more. */
  const read = (taskId: string, task: OpenTask): void => {
    const leave = task.reading === undefined ? entered(parts) : undefined;
    if (leave === undefined) return;
    const reading = new AbortController();
    task.reading = reading;
    const limit = { clock: parts.clock, ...parts.requestTimeout('tasks/result'), signal: reading.signal };
    void within(limit, (signal) => connection.request('tasks/result', { taskId }, signal))
      .catch(() => {})
      .finally(() => {
        task.reading = undefined;
        leave();
      });
  };

  const contentOf = async (state: Result, taskId: string, ...waiting: Waiting): Promise<TaskContent> => {
    const { status } = state;
    if (status === 'completed' || status === 'failed') {
      forget(tasks, taskId);
      return outcomeOf(connection, taskId, waiting);
    }
    if (status === 'cancelled') forget(tasks, taskId);
    if (status !== 'input_required') return { status: String(status) };
    const task = known(tasks, taskId);
    read(taskId, task);
    const asked = [...task.questions].map(([name, { json }]) => [name, json] as const);
    // What it asks for has not arrived yet.
    return asked.length === 0 ? { status: 'working' } : { status, inputRequests: Object.fromEntries(asked) };
  };

  const stateOf = async (params: Params | undefined, ...waiting: Waiting): Promise<Result> => {
    const taskId = String(params?.['taskId']);
    const state = await connection.request('tasks/get', params, ...waiting);
    const content = await contentOf(state, taskId, ...waiting);
    const extended = asState(state, content);
    noteAnswerSize(extended, content.result === undefined ? answerSizeOf(state) : answerSizeOf(content.result));
    return extended;
  };

  return async (method, params, ...waiting) => {
    switch (method) {
      case 'tools/call': {
        // Without a list nothing is known of the tool, and the target itself refuses what it does not want.
        const isTask = await isTaskTool(connection, parts, String(params?.['name']), waiting[0]).catch(() => false);
        if (!isTask) return connection.request(method, params, ...waiting);
        if (!declaresTasks(parts.clientCapabilities)) throw missingTasksError();
        const called = changed(params ?? {}, [{ path: ['task'], value: {} }]);
        const result = await connection.request(method, called, ...waiting);
        const handle = asHandle(result);
        if (typeof handle?.['taskId'] === 'string') known(tasks, handle['taskId']);
        return handle ?? result;
      }
      case 'tasks/get':
        return stateOf(params, ...waiting);
      case 'tasks/update':
        answer(tasks, params ?? {});
        return {};
      case 'tasks/cancel':
        // One that is over is refused there, and acknowledged in the extension.
        await connection.request(method, params, ...waiting).catch(async (error: unknown) => {
          if (!(error instanceof RpcError) || error.code !== errorCode.invalidParams) throw error;
          await connection.request('tasks/get', params, ...waiting);
        });
        forget(tasks, String(params?.['taskId']));
        return {};
      default:
        return connection.request(method, params, ...waiting);
    }
  };
}

/** Returns `undefined` when the target has too many requests open: the client asks for the state again. */
function entered({ enter }: Pick<UpstreamParts, 'enter'>): ReturnType<UpstreamParts['enter']> | undefined {
  try {
    return enter();
  } catch {
    return undefined;
  }
}

type Waiting = [until: AbortSignal, exchange?: Parameters<Connection['request']>[3]];

/**
 * A task that failed has an error response; the failure of a tool is a result. It says what results of this revision
 * say.
 */
async function outcomeOf(connection: Connection, taskId: string, waiting: Waiting): Promise<TaskContent> {
  try {
    const result = await connection.request('tasks/result', { taskId }, ...waiting);
    const own = changed(result, [
      { path: ['_meta', relatedTaskKey] },
      ...(result['resultType'] === undefined ? [{ path: ['resultType'], value: 'complete' }] : []),
    ]);
    noteAnswerSize(own, answerSizeOf(result));
    return { status: 'completed', result: own };
  } catch (error) {
    if (!(error instanceof RpcError) || error.received === undefined) throw error;
    return { status: 'failed', error: asJsonObject(error.received) };
  }
}

/** Reads the list of tools when not all of them are known yet. Of one with very many pages, the rest stays unknown. */
async function isTaskTool(
  connection: Connection,
  { memory }: UpstreamParts,
  name: string,
  until: AbortSignal,
): Promise<boolean> {
  const isTask = (): boolean => memory.taskTools?.has(name) === true;
  if (isTask() || (memory.taskTools !== undefined && memory.areToolsListed === true)) return isTask();
  let cursor: string | undefined;
  for (let page = 1; page <= maxPages && !isTask(); page += 1) {
    const result = await connection.request('tools/list', cursor === undefined ? {} : { cursor }, until);
    const next = result['nextCursor'];
    if (typeof next !== 'string' || next === cursor) break;
    cursor = next;
    if (page === maxPages) {
      memory.areToolsListed = true;
      // Of headers of the other tools, nothing is known.
      memory.paramHeaders = { byTool: memory.paramHeaders?.byTool ?? new Map(), isCut: true };
    }
  }
  return isTask();
}

function known(tasks: Map<string, OpenTask>, taskId: string): OpenTask {
  const task = tasks.get(taskId) ?? { questions: new Map(), reading: undefined };
  tasks.set(taskId, task);
  const [oldest] = tasks.keys();
  if (tasks.size > maxTasks && oldest !== undefined) forget(tasks, oldest);
  return task;
}

function forget(tasks: Map<string, OpenTask>, taskId: string): void {
  const task = tasks.get(taskId);
  tasks.delete(taskId);
  task?.reading?.abort(new Error('the task is not waited for any more'));
  for (const question of task?.questions.values() ?? []) question.refuse(new Error('the task is over'));
}

/**
 * Keeps a question about a task until the client asks for the state of the task, and answers. Returns `undefined` for
 * another request.
 *
 * @param name the name of the question, which no other one of the task has
 */
function takeQuestion(
  { clientCapabilities, clock, requestTimeout }: UpstreamParts,
  tasks: ReadonlyMap<string, OpenTask>,
  name: string,
  { method, params, signal }: IncomingRequest,
): Promise<Result> | undefined {
  const taskId = relatedTaskId(params);
  const task = taskId === undefined ? undefined : tasks.get(taskId);
  if (taskId === undefined || task === undefined || !canBeAsked(method, clientCapabilities)) return undefined;
  // Refused there.
  if (asksForUnknownMode(params, clientCapabilities)) return undefined;
  const waiting = [...tasks.values()].reduce((sum, { questions }) => sum + questions.size, 0);
  if (waiting >= maxQuestions || lengthOf(params ?? {}) > maxQuestion) {
    return Promise.reject(new RpcError(errorCode.unavailable, 'Too many requests wait for clients'));
  }
  const { promise, resolve, reject } = Promise.withResolvers<Result>();
  const own = changed(params ?? {}, [{ path: ['_meta', relatedTaskKey] }, { path: ['task'] }]);
  task.questions.set(name, {
    json: { method, params: own },
    answer: (given) => resolve(aboutTask(given, taskId)),
    refuse: reject,
  });
  const limit = { clock, ...requestTimeout(method), signal };
  return within(limit, () => promise).finally(() => task.questions.delete(name));
}

/**
 * Gives a task the answers of the client. Those to what is not asked any more are ignored (Tasks extension, Update).
 */
function answer(tasks: ReadonlyMap<string, OpenTask>, params: Params): void {
  rememberMembers(params);
  const given = asJsonObject(params['inputResponses']);
  rememberMembers(given);
  for (const [name, question] of tasks.get(String(params['taskId']))?.questions ?? []) {
    const response = Object.hasOwn(given, name) ? given[name] : undefined;
    if (isJsonObject(response)) question.answer(response);
  }
}
