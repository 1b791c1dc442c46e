import { asJsonObject, isJsonObject, type JsonObject, objectsOf } from '../../../json/json.ts';
import { within } from '../../../net/deadline.ts';
import { callerKey } from '../../callers.ts';
import type { Caller } from '../../model.ts';
import type { MessageSize, Result } from '../../rpc/model.ts';
import { errorCode, RpcError } from '../../rpc/rpc-error.ts';
import { changed, lengthOf, rememberElements, remembered } from '../../rpc/source-text.ts';
import { AnswerLimitError, weightOf } from '../../upstream/answer-limits.ts';
import { BudgetLease } from '../../upstream/budget-lease.ts';
import { listTimeout, readPages } from '../lists/list-pages.ts';
import { ListRoom } from '../lists/list-room.ts';
import type { SharedListing } from '../lists/shared-listing.ts';
import type { ClientRequest } from '../model.ts';
import type { RouterParts } from '../routing/request-router.ts';
import type { Task } from './task-table.ts';

/** Dependencies of the list of tasks. */
export interface TaskListParts extends RouterParts {
  readonly sharedListing: Pick<SharedListing, 'budget' | 'turns'>;
}

/** Requests for single tasks that one list makes at the same time. */
const maxTogether = 16;

/**
 * Bytes of the state of a task in a list, and of the message that has it. One that is larger is in no list; `tasks/get`
 * has it.
 */
const maxStateBytes = 8 * 1024;
const maxAnswerBytes = 2 * maxStateBytes;

/** What a byte of a state weighs at most; see {@link weightOf}. */
const weightOfByte = 4;

const taskList = { method: 'tasks/list', member: 'tasks', capability: 'tasks' } as const;

/** Returns whether a target does not know a task any more (MCP 2025-11-25, Tasks, Protocol Errors). */
export function isUnknownAtTarget(error: unknown): boolean {
  return error instanceof RpcError && error.received !== undefined && error.code === errorCode.invalidParams;
}

/**
 * Handles `tasks/list` (MCP 2025-11-25): asks the targets for their lists of tasks, and then for each that none of them
 * has. Only tasks of this session are taken: to a target, all callers of a gateway may be one. A later reader of the
 * response gets of it what it may know then.
 */
export async function listTasks(parts: TaskListParts, request: ClientRequest): Promise<Result> {
  const { caller, params } = request;
  if (params?.['cursor'] !== undefined) throw new RpcError(errorCode.invalidParams, 'Invalid cursor');
  const reading = new TaskListReading(parts, request);
  try {
    await reading.read();
    request.decides(
      () => true,
      (result, reader) => withoutOthers(parts, result, reader),
    );
    await parts.sharedListing.turns.toMake(callerKey(caller));
    return { tasks: reading.listed() };
  } finally {
    reading.release();
  }
}

function mayKnow({ authorization, tasks }: TaskListParts, task: Task, caller: Caller): boolean {
  return tasks.isOf(task, caller) && authorization.allows(task.tool.use, caller);
}

/** Returns a list with the tasks that a reader may know now. */
function withoutOthers(parts: TaskListParts, result: Result, reader: Caller): Result {
  rememberElements(result, 'tasks');
  const known = objectsOf(result['tasks']).filter(({ taskId }) => {
    const task = typeof taskId === 'string' ? parts.tasks.find(taskId, reader) : undefined;
    return task !== undefined && mayKnow(parts, task, reader);
  });
  return { ...result, tasks: known };
}

/** What the tasks of one target take while the list is made. */
interface Held {
  readonly lease: BudgetLease;
  /** Of the states that are kept. */
  weight: number;
}

/** One list while it is read, which holds a part of the budget of all targets until it is released. */
class TaskListReading {
  readonly #parts: TaskListParts;
  readonly #request: ClientRequest;
  readonly #own: readonly Task[];
  readonly #states = new Map<Task, JsonObject>();
  readonly #room = new ListRoom();
  readonly #held = new Map<string, Held>();

  constructor(parts: TaskListParts, request: ClientRequest) {
    this.#parts = parts;
    this.#request = request;
    this.#own = parts.tasks.of(request.caller).filter((task) => mayKnow(parts, task, request.caller));
  }

  /** What is not read in {@link listTimeout} is not in the list. */
  async read(): Promise<void> {
    const { clock, sharedListing } = this.#parts;
    const targets = [...new Set(this.#own.map(({ tool }) => tool.target))];
    for (const target of targets) {
      this.#held.set(target, { lease: new BudgetLease(sharedListing.budget.lists, target), weight: 0 });
    }
    const reads = { own: Math.max(targets.length, maxTogether), shared: 0 };
    const release = await sharedListing.turns.toRead(callerKey(this.#request.caller), reads, this.#request.signal);
    const limit = { clock, milliseconds: listTimeout, signal: this.#request.signal };
    await within(limit, async (signal) => {
      await Promise.all(targets.map((target) => this.#readList(target, signal)));
      const missing = this.#own.filter((task) => !this.#states.has(task));
      for (let from = 0; from < missing.length && !signal.aborted; from += maxTogether) {
        await Promise.all(missing.slice(from, from + maxTogether).map((task) => this.#readOne(task, signal)));
      }
    })
      .catch(() => {})
      .finally(release);
  }

  /** The states of those that the caller may know now, in the order of their creation. */
  listed(): readonly JsonObject[] {
    return this.#own.flatMap((task) => {
      const state = this.#states.get(task);
      return state !== undefined && mayKnow(this.#parts, task, this.#request.caller) ? [state] : [];
    });
  }

  release(): void {
    for (const { lease } of this.#held.values()) lease.release();
  }

  /** The pages of all targets have room for as long as they are read; one without is asked for each task instead. */
  async #readList(target: string, until: AbortSignal): Promise<void> {
    const { tasks, upstreams } = this.#parts;
    const upstream = upstreams.get(target);
    if (upstream === undefined) return;
    const leftOut = new AbortController();
    this.#room.enter(target, true, () => leftOut.abort());
    const grow = (size: MessageSize): void => {
      this.#room.hold(target, size);
      this.#held.get(target)?.lease.grow(weightOf(size));
    };
    try {
      const signal = AbortSignal.any([until, leftOut.signal]);
      const { entries, texts } = await readPages(upstream, taskList, { params: {}, signal }, { grow });
      for (const [index, entry] of entries.entries()) {
        const task = tasks.at(target, asJsonObject(entry)['taskId']);
        if (task === undefined || !isJsonObject(entry)) continue;
        this.#keep(task, remembered({ json: entry, text: texts[index] }));
      }
    } catch {
      // Each task is asked for instead.
    } finally {
      this.#room.leave(target);
    }
  }

  async #readOne(task: Task, until: AbortSignal): Promise<void> {
    const upstream = this.#parts.upstreams.get(task.tool.target);
    const arriving = ({ bytes }: MessageSize): void => {
      if (bytes > maxAnswerBytes) throw new AnswerLimitError('the state of a task is too large for a list');
    };
    try {
      const exchange = { about: undefined, arriving };
      const state = await upstream?.request('tasks/get', { taskId: task.upstreamId }, until, exchange);
      if (state !== undefined) this.#keep(task, state);
    } catch (error) {
      if (isUnknownAtTarget(error)) this.#parts.tasks.remove(task);
    }
  }

  /** Keeps no state that is too large, or that the budget of all targets has no room for. */
  #keep(task: Task, said: JsonObject): void {
    this.#parts.tasks.note(task, said);
    const held = this.#held.get(task.tool.target);
    const bytes = lengthOf(said);
    if (held === undefined || bytes > maxStateBytes) return;
    held.lease.grow(held.weight + weightOfByte * bytes);
    held.weight += weightOfByte * bytes;
    this.#states.set(task, changed(said, [{ path: ['taskId'], value: task.id }]));
  }
}
