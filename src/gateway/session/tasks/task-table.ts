import { randomBytes } from 'node:crypto';
import type { AccessRequest } from '../../../authz/model.ts';
import type { Clock, Stop } from '../../../edges.ts';
import { shortened } from '../../../json/quoted.ts';
import { Quota } from '../../../rate/quota.ts';
import { callerKey } from '../../callers.ts';
import type { Caller } from '../../model.ts';
import type { RequestId } from '../../rpc/model.ts';
import { errorCode, RpcError } from '../../rpc/rpc-error.ts';
import type { QualifiedName } from '../names/qualified-names.ts';

/** The tool of a task. */
export interface TaskTool extends QualifiedName {
  readonly use: AccessRequest;
  /** The name as the client spelled it. */
  readonly requestedName: string;
}

/** A task of a target (MCP 2025-11-25, Tasks): a call whose result is asked for later. */
export interface Task {
  /** The id that the client knows: 128 random bits in hex. */
  readonly id: string;
  /** The id at the target. */
  readonly upstreamId: string;
  /** What it does. Who is told anything of it may use this tool then. */
  readonly tool: TaskTool;
  /** The progress token of the call, which is valid for as long as the task. */
  readonly progress: TaskProgress | undefined;
}

/** The progress token of a call, as its target and its client know it. */
interface TaskProgress {
  readonly ofTarget: number;
  readonly ofClient: RequestId;
}

/** Room for one task. */
export interface TaskPlace {
  /**
   * Adds the task, in place of an earlier one with the same id at the target.
   *
   * @param lifetime milliseconds until the target may forget it; by default it never does
   */
  add(task: Omit<Task, 'id'>, lifetime?: number): Task;
  /** Gives the room back, unless a task was added. */
  readonly release: Stop;
}

/** Tasks of one session, in all sessions, and the part of those that one caller may have. Each takes about 1 KiB. */
const maxPerSession = 256;
const maxTasks = 8_192;
const callerShare = 1 / 2;
/** Two callers leave a third. */
const shareOfRest = 1;

/** Creates the budget that all sessions share. */
export function createTaskBudget(): Quota {
  return new Quota(maxTasks, callerShare, shareOfRest);
}

interface Kept {
  readonly task: Task;
  readonly key: string;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
  isOver: boolean;
}

/** The statuses that a task keeps (MCP 2025-11-25, Tasks, Task Status Lifecycle). */
const finalStatuses: readonly unknown[] = ['completed', 'failed', 'cancelled'];

/** The tasks of one session, each of which belongs to the caller who has created it. */
export class TaskTable {
  readonly #clock: Clock;
  readonly #budget: Quota;
  /** By the id that the client knows, the oldest first. */
  readonly #tasks = new Map<string, Kept>();
  #reserved = 0;
  #isClosed = false;

  /** @param budget see {@link createTaskBudget} */
  constructor(clock: Clock, budget: Quota) {
    this.#clock = clock;
    this.#budget = budget;
  }

  /**
   * Holds a place for a task that a target may create.
   *
   * @throws RpcError when the session, the caller or all sessions have no room for one
   */
  reserve(caller: Caller): TaskPlace {
    const key = callerKey(caller);
    while (this.#tasks.size + this.#reserved >= maxPerSession) if (!this.#removeOld()) throw tooMany();
    while (this.#isClosed || !this.#budget.acquire(key)) if (!this.#removeOld()) throw tooMany();
    this.#reserved += 1;
    let isHeld = true;
    const leave = (): boolean => {
      const wasHeld = isHeld;
      if (wasHeld) this.#reserved -= 1;
      isHeld = false;
      return wasHeld;
    };
    return {
      add: (task, lifetime = Number.POSITIVE_INFINITY) => {
        const earlier = this.at(task.tool.target, task.upstreamId);
        if (earlier !== undefined) this.remove(earlier);
        const added: Task = { ...task, id: randomBytes(16).toString('hex') };
        // A session that has ended meanwhile asks for nothing any more; its place is released.
        if (this.#isClosed || !leave()) return added;
        this.#tasks.set(added.id, { task: added, key, expiresAt: this.#clock.now() + lifetime, isOver: false });
        return added;
      },
      release: () => {
        if (leave()) this.#budget.release(key);
      },
    };
  }

  /** Finds a task of a caller; that of another one is unknown. */
  find(id: string, caller: Caller): Task | undefined {
    const found = this.#tasks.get(id)?.task;
    return found !== undefined && this.isOf(found, caller) ? found : undefined;
  }

  /** Returns whether a task belongs to a caller. */
  isOf({ id }: Task, caller: Caller): boolean {
    return this.#tasks.get(id)?.key === callerKey(caller);
  }

  /** Finds the task with this id at a target. */
  at(target: string, upstreamId: unknown): Task | undefined {
    return this.#first((task) => task.tool.target === target && task.upstreamId === upstreamId);
  }

  /** Finds the task whose call has this progress token at a target. */
  withProgress(target: string, token: unknown): Task | undefined {
    return this.#first((task) => task.tool.target === target && task.progress?.ofTarget === token);
  }

  /** The tasks of a caller, the oldest first. */
  of(caller: Caller): readonly Task[] {
    return [...this.#tasks.values()].flatMap(({ task }) => (this.isOf(task, caller) ? [task] : []));
  }

  /** Notes what a target says of a task: one that is over makes room for a new one when there is none. */
  note({ id }: Task, status: unknown): void {
    const kept = this.#tasks.get(id);
    if (kept !== undefined && finalStatuses.includes(status)) kept.isOver = true;
  }

  /** Forgets a task that its target does not know any more. */
  remove({ id }: Task): void {
    const kept = this.#tasks.get(id);
    if (kept === undefined) return;
    this.#tasks.delete(id);
    this.#budget.release(kept.key);
  }

  /** Forgets the tasks of targets that were removed or changed. */
  drop(targets: readonly string[]): void {
    for (const { task } of [...this.#tasks.values()]) if (targets.includes(task.tool.target)) this.remove(task);
  }

  /** Forgets all. Nothing is added after that. */
  close(): void {
    this.#isClosed = true;
    for (const { task } of [...this.#tasks.values()]) this.remove(task);
  }

  /** Forgets the oldest task that is over, or that its target may have forgotten. Returns false without any. */
  #removeOld(): boolean {
    for (const { task, isOver, expiresAt } of this.#tasks.values()) {
      if (!isOver && this.#clock.now() < expiresAt) continue;
      this.remove(task);
      return true;
    }
    return false;
  }

  #first(isWanted: (task: Task) => boolean): Task | undefined {
    for (const { task } of this.#tasks.values()) if (isWanted(task)) return task;
    return undefined;
  }
}

/** The error response for a task that does not exist, or is another caller's. */
export function unknownTaskError(id: string): RpcError {
  return new RpcError(errorCode.invalidParams, `Unknown task: ${shortened(id)}`);
}

function tooMany(): RpcError {
  const most = `A session has at most ${maxPerSession} tasks, all together ${maxTasks}, one caller half of them`;
  return new RpcError(errorCode.unavailable, `${most}: wait for some, or cancel them`);
}
