import { randomBytes } from 'node:crypto';
import type { AccessRequest } from '../../../authz/model.ts';
import type { Clock, Stop } from '../../../edges.ts';
import type { JsonObject } from '../../../json/json.ts';
import { shortened } from '../../../json/quoted.ts';
import { at } from '../../../net/timers.ts';
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

/** A task of a target: a call whose result is asked for later. */
export interface Task {
  /** The id that the client knows: 128 random bits in hex. */
  readonly id: string;
  /** The id at the target. */
  readonly upstreamId: string;
  /** What it does. Who is told anything of it may use this tool then. */
  readonly tool: TaskTool;
  /** The progress token of the call, which is valid for as long as the task (MCP 2025-11-25, Tasks). */
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
   * @param state what the target says of it; see {@link TaskTable.note}
   */
  add(task: Omit<Task, 'id'>, state: JsonObject): Task;
  /** Gives the room back, unless a task was added. */
  readonly release: Stop;
}

/** Tasks of all clients, and the part of those that one caller may have. Each takes about 1 KiB. */
const maxTasks = 8_192;
const callerShare = 1 / 2;
/** Two callers leave a third. */
const shareOfRest = 1;

/** Milliseconds after which a task is forgotten of which nothing was said, and that one is kept after its `ttl`. */
const quietTime = 24 * 3_600_000;
const timeAfterTtl = 3_600_000;

/** Milliseconds after a request about a task in which its client is expected to ask again. Clients ask every few seconds. */
const askTime = 30_000;

/** Creates the budget that all tables share. */
export function createTaskBudget(): Quota {
  return new Quota(maxTasks, callerShare, shareOfRest);
}

interface Kept {
  readonly task: Task;
  readonly key: string;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  /** When its target may forget it, in milliseconds since the epoch. */
  expiresAt: number;
  isOver: boolean;
  /** Until then its client is expected to ask, in milliseconds since the epoch. */
  askedUntil: number;
  stopTimer: Stop;
}

/** The statuses that a task keeps. */
const finalStatuses: readonly unknown[] = ['completed', 'failed', 'cancelled'];

/** Returns whether a task is over, by its state. */
export function isFinal({ status }: JsonObject): boolean {
  return finalStatuses.includes(status);
}

/** Dependencies of a table. */
interface TaskTableParts {
  readonly clock: Clock;
  /** See {@link createTaskBudget}. */
  readonly budget: Quota;
  /** Whose tasks these are, for the error that there are too many. */
  readonly owner: 'session' | 'caller';
  /** The most tasks of this table. */
  readonly most: number;
  /** Called when there are no tasks any more, and no places are held. */
  readonly emptied: Stop;
}

/**
 * The tasks of one session, or of one caller of MCP 2026-07-28, where there are no sessions. Each belongs to the caller
 * who has created it.
 */
export class TaskTable {
  readonly #parts: TaskTableParts;
  /** By the id that the client knows, the oldest first. */
  readonly #tasks = new Map<string, Kept>();
  /** By target and the id there, or the progress token of the call there: one is a text, the other one a number. */
  readonly #byUpstream = new Map<string, Task>();
  #reserved = 0;
  #isClosed = false;

  constructor(parts: TaskTableParts) {
    this.#parts = parts;
  }

  /** Tasks that are known, and places that are held. */
  get size(): number {
    return this.#tasks.size + this.#reserved;
  }

  /**
   * Holds a place for a task that a target may create.
   *
   * @throws RpcError when the table, the caller or all tables have no room for one
   */
  reserve(caller: Caller): TaskPlace {
    const key = callerKey(caller);
    const { budget, most, emptied } = this.#parts;
    while (this.size >= most) if (!this.#removeOld()) throw tooMany(this.#parts);
    while (this.#isClosed || !budget.acquire(key)) if (!this.#removeOld()) throw tooMany(this.#parts);
    this.#reserved += 1;
    let isHeld = true;
    const leave = (): boolean => {
      const wasHeld = isHeld;
      if (wasHeld) this.#reserved -= 1;
      isHeld = false;
      return wasHeld;
    };
    return {
      add: (task, state) => {
        const added: Task = { ...task, id: randomBytes(16).toString('hex') };
        // A session that has ended meanwhile asks for nothing any more; its place is released.
        if (this.#isClosed || !leave()) return added;
        this.#add(added, key, state);
        return added;
      },
      release: () => {
        if (!leave()) return;
        budget.release(key);
        if (this.size === 0) emptied();
      },
    };
  }

  /** Finds a task of a caller; that of another one is unknown. */
  find(id: string, caller: Caller): Task | undefined {
    const found = this.#tasks.get(id)?.task;
    return found !== undefined && this.isOf(found, caller) ? found : undefined;
  }

  /** Returns whether a task is known, and belongs to a caller. */
  isOf({ id }: Task, caller: Caller): boolean {
    return this.#tasks.get(id)?.key === callerKey(caller);
  }

  /** Finds the task with this id at a target. */
  at(target: string, upstreamId: unknown): Task | undefined {
    return typeof upstreamId === 'string' ? this.#byUpstream.get(upstreamKey(target, upstreamId)) : undefined;
  }

  /** Finds the task whose call has this progress token at a target. */
  withProgress(target: string, token: unknown): Task | undefined {
    return typeof token === 'number' ? this.#byUpstream.get(upstreamKey(target, token)) : undefined;
  }

  /** The tasks of a caller, the oldest first. */
  of(caller: Caller): readonly Task[] {
    return [...this.#tasks.values()].flatMap(({ task }) => (this.isOf(task, caller) ? [task] : []));
  }

  /**
   * Notes what a target says of a task: its status, since one that is over makes room for a new one when there is none,
   * and its `ttl` (MCP 2025-11-25) or `ttlMs` (the extension), which counts from its creation and may change.
   */
  note({ id }: Task, { status, ttl, ttlMs }: JsonObject): void {
    const kept = this.#tasks.get(id);
    if (kept === undefined) return;
    if (isFinal({ status })) kept.isOver = true;
    const lifetime = ttl ?? ttlMs;
    if (typeof lifetime === 'number' && lifetime >= 0) kept.expiresAt = kept.createdAt + lifetime;
    this.#keep(kept);
  }

  /**
   * Notes that a client asks about a task, or that it has nothing more to ask: it has the result, or has cancelled it.
   */
  asked({ id }: Task, isLast: boolean): void {
    const kept = this.#tasks.get(id);
    if (kept !== undefined) kept.askedUntil = isLast ? 0 : this.#parts.clock.now() + askTime;
  }

  /** The number of tasks that a client has created or asked about a short time ago, and is expected to ask about again. */
  awaited(): number {
    const now = this.#parts.clock.now();
    return [...this.#tasks.values()].filter(({ askedUntil }) => askedUntil > now).length;
  }

  /** Forgets a task that its target does not know any more. */
  remove({ id }: Task): void {
    const kept = this.#tasks.get(id);
    if (kept === undefined) return;
    kept.stopTimer();
    this.#tasks.delete(id);
    for (const key of keysOf(kept.task)) if (this.#byUpstream.get(key)?.id === id) this.#byUpstream.delete(key);
    this.#parts.budget.release(kept.key);
    if (this.size === 0) this.#parts.emptied();
  }

  /** Forgets the tasks of targets that were removed or changed. */
  drop(targets: readonly string[]): void {
    if (targets.length === 0) return;
    const gone = new Set(targets);
    for (const { task } of [...this.#tasks.values()]) if (gone.has(task.tool.target)) this.remove(task);
  }

  /** Forgets all. Nothing is added after that. */
  close(): void {
    this.#isClosed = true;
    for (const { task } of [...this.#tasks.values()]) this.remove(task);
  }

  #add(task: Task, key: string, state: JsonObject): void {
    const earlier = this.at(task.tool.target, task.upstreamId);
    if (earlier !== undefined) this.remove(earlier);
    const createdAt = this.#parts.clock.now();
    const expiresAt = Number.POSITIVE_INFINITY;
    const askedUntil = createdAt + askTime;
    this.#tasks.set(task.id, { task, key, createdAt, expiresAt, isOver: false, askedUntil, stopTimer: () => {} });
    for (const known of keysOf(task)) this.#byUpstream.set(known, task);
    this.note(task, state);
  }

  /** Begins the time anew after which a task is forgotten: clients need not say that they are done with one. */
  #keep(kept: Kept): void {
    const { clock } = this.#parts;
    kept.stopTimer();
    const until = Math.min(kept.expiresAt + timeAfterTtl, clock.now() + quietTime);
    kept.stopTimer = at(clock, until, () => this.remove(kept.task));
  }

  /** Forgets the oldest task that is over, or that its target may have forgotten. Returns false without any. */
  #removeOld(): boolean {
    for (const { task, isOver, expiresAt } of this.#tasks.values()) {
      if (!isOver && this.#parts.clock.now() < expiresAt) continue;
      this.remove(task);
      return true;
    }
    return false;
  }
}

function upstreamKey(target: string, known: string | number): string {
  return JSON.stringify([target, known]);
}

function keysOf({ tool, upstreamId, progress }: Task): readonly string[] {
  const id = upstreamKey(tool.target, upstreamId);
  return progress === undefined ? [id] : [id, upstreamKey(tool.target, progress.ofTarget)];
}

/** The error response for a task that does not exist, or is another caller's, or was known before a restart. */
export function unknownTaskError(id: string): RpcError {
  const why = 'tasks are known to the caller who has created them, until the gateway restarts';
  return new RpcError(errorCode.invalidParams, `Unknown task: ${shortened(id)} (${why})`);
}

function tooMany({ owner, most }: TaskTableParts): RpcError {
  const limits = `A ${owner} has at most ${most} tasks, all together ${maxTasks}, one caller half of them`;
  return new RpcError(errorCode.unavailable, `${limits}: wait for some, or cancel them`);
}
