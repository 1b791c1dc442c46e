import { isJsonObject } from '../../../json/json.ts';
import { within } from '../../../net/deadline.ts';
import { pause } from '../../../net/timers.ts';
import type { Result } from '../../rpc/model.ts';
import { taskHandle } from '../../rpc/protocol.ts';
import { errorCode, RpcError } from '../../rpc/rpc-error.ts';
import { changed, rememberMembers } from '../../rpc/source-text.ts';
import { aboutTask, asEarlierHandle, asEarlierState } from '../../rpc/task-states.ts';
import { answerSizeOf, noteAnswerSize } from '../answer-size.ts';
import { answersTo, inputRequestsOf } from '../input-required.ts';
import type { Connection, UpstreamParts } from '../model.ts';

/**
 * Milliseconds between two requests for the state of a task: what its target suggests, within these, or by default; and
 * a part of the time that it has taken so far, so that one that takes long is not asked more often than that matters.
 */
const pollTime = { least: 100, most: 30_000, otherwise: 1_000, partOfWait: 1 / 20 } as const;

/** Times that one task is given input while its result is waited for. */
const maxRounds = 256;

/** Milliseconds that a target has to take note that a result is not waited for any more. */
const cancelTime = 5_000;

/**
 * Makes the tasks of a target that has the extension of MCP 2026-07-28 those of MCP 2025-11-25, for clients that know
 * no others: one that asks for a task gets it, one that does not gets the result, for which the target is asked until
 * it is there. What a task asks for is asked of the client.
 *
 * @param send sends a request of MCP 2026-07-28
 */
export function createTaskDriver(send: Connection['request'], parts: UpstreamParts): Connection['request'] {
  const { clock, clientCapabilities, request: ask } = parts;
  /** Asks the client for what a task asks for, and was not asked before. Resolves with whether there was something. */
  const giveInput = async (
    taskId: string,
    state: Result,
    given: Set<string>,
    [until, exchange]: Waiting,
  ): Promise<boolean> => {
    const asked = inputRequestsOf('tools/call', state, clientCapabilities).filter(({ name }) => !given.has(name));
    if (asked.length === 0) return false;
    for (const { name } of asked) given.add(name);
    const about = asked.map((question) => ({ ...question, params: aboutTask(question.params ?? {}, taskId) }));
    const inputResponses = await answersTo(about, (question) => ask(question, exchange?.about), until);
    await send('tasks/update', { taskId, inputResponses }, until, exchange);
    return true;
  };

  /** Resolves with the result of the call that has created a task. */
  const resultOf = async (taskId: string, ...waiting: Waiting): Promise<Result> => {
    const given = new Set<string>();
    const startedAt = clock.monotonic();
    for (let rounds = 0; rounds < maxRounds; ) {
      const [until, exchange] = waiting;
      const state = await send('tasks/get', { taskId }, until, exchange);
      if (isFinal(state)) return outcomeOf(state);
      if (state['status'] === 'input_required' && (await giveInput(taskId, state, given, waiting))) rounds += 1;
      await pause(clock, pollTimeOf(state, clock.monotonic() - startedAt), until);
    }
    throw new Error(`asks for input more than ${maxRounds} times`);
  };

  /** The same for a client that knows of no task: the task is cancelled when nobody waits for its result any more. */
  const driven = async (handle: Result, ...waiting: Waiting): Promise<Result> => {
    const { taskId } = handle;
    if (typeof taskId !== 'string' || taskId === '') throw new Error('has created a task without an id');
    try {
      if (!isFinal(handle)) await pause(clock, pollTimeOf(handle, 0), waiting[0]);
      return await resultOf(taskId, ...waiting);
    } catch (error) {
      if (!(error instanceof TaskError)) cancel(send, parts, taskId);
      throw error;
    }
  };

  return async (method, params, ...waiting) => {
    switch (method) {
      case 'tools/call': {
        const isTask = isJsonObject(params?.['task']);
        const result = await send(method, params && changed(params, [{ path: ['task'] }]), ...waiting);
        if (result['resultType'] !== taskHandle) return result;
        return isTask ? asEarlierHandle(result) : driven(result, ...waiting);
      }
      case 'tasks/get':
        return asEarlierState(await send(method, params, ...waiting));
      case 'tasks/cancel':
        await send(method, params, ...waiting);
        return asEarlierState(await send('tasks/get', params, ...waiting));
      case 'tasks/result': {
        const taskId = String(params?.['taskId']);
        return resultOfTask(await resultOf(taskId, ...waiting), taskId);
      }
      case 'tasks/list':
        throw new RpcError(errorCode.methodNotFound, 'Method not found');
      default:
        return send(method, params, ...waiting);
    }
  };
}

/** Nobody waits for the answer, so that a target that gives none gets a bounded number of such requests. */
function cancel(
  send: Connection['request'],
  { clock, budget, target }: Pick<UpstreamParts, 'clock' | 'budget' | 'target'>,
  taskId: string,
): void {
  if (!budget.unaccepted.acquire(target.name)) return;
  void within({ clock, milliseconds: cancelTime }, (signal) => send('tasks/cancel', { taskId }, signal))
    .catch(() => {})
    .finally(() => budget.unaccepted.release(target.name));
}

/** How long a result is waited for, and for which request. */
type Waiting = [until: AbortSignal, exchange?: Parameters<Connection['request']>[3]];

/** The error that a call has ended with, as its task says. */
class TaskError extends RpcError {}

/** Names the task, which nothing else in such a response does (MCP 2025-11-25, Tasks, Related Task Metadata). */
function resultOfTask(result: Result, taskId: string): Result {
  const own = aboutTask(result, taskId);
  noteAnswerSize(own, answerSizeOf(result));
  return own;
}

function isFinal({ status }: Result): boolean {
  return status === 'completed' || status === 'failed' || status === 'cancelled';
}

/** @throws TaskError */
function outcomeOf(state: Result): Result {
  const { status, result, error } = state;
  rememberMembers(state);
  if (status === 'completed' && isJsonObject(result)) {
    noteAnswerSize(result, answerSizeOf(state));
    return result;
  }
  if (status === 'cancelled') throw new TaskError(errorCode.invalidRequest, 'The task was cancelled');
  if (status === 'failed' && isErrorObject(error)) throw new TaskError(error.code, error.message, error);
  throw new TaskError(errorCode.internalError, 'The task has ended without a result');
}

function isErrorObject(value: unknown): value is { code: number; message: string } {
  return isJsonObject(value) && typeof value['code'] === 'number' && typeof value['message'] === 'string';
}

function pollTimeOf({ pollIntervalMs }: Result, waited: number): number {
  const suggested = typeof pollIntervalMs === 'number' ? pollIntervalMs : pollTime.otherwise;
  return Math.min(Math.max(suggested, pollTime.least, waited * pollTime.partOfWait), pollTime.most);
}
