import type { Clock, Stop } from '../../../edges.ts';
import type { Quota } from '../../../rate/quota.ts';
import { createTaskBudget, TaskTable } from './task-table.ts';

/** Tasks of one session; and of one caller without sessions, who may be a fleet of clients. */
const maxPerSession = 256;
const maxPerCaller = 2_048;

/** A table that is in use until it is left. */
export interface OpenTasks {
  readonly table: TaskTable;
  /** Forgets the tasks of targets that were removed or changed, unless {@link TaskTables} does it for all. */
  drop(targets: readonly string[]): void;
  readonly leave: Stop;
}

interface Shared {
  readonly table: TaskTable;
  users: number;
}

/**
 * The tables of all sessions, and of all callers of MCP 2026-07-28: requests of one caller may take several sessions
 * inside the gateway, and a task outlives them.
 */
export class TaskTables {
  readonly #clock: Clock;
  readonly #budget: Quota = createTaskBudget();
  /** Those of sessions, until these end. */
  readonly #ofSessions = new Set<TaskTable>();
  /** By caller. */
  readonly #shared = new Map<string, Shared>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @param key whose tasks; by default those of one session, which end with it */
  open(key?: string): OpenTasks {
    if (key === undefined) {
      const table = this.#create('session', maxPerSession);
      this.#ofSessions.add(table);
      const leave = (): void => {
        this.#ofSessions.delete(table);
        table.close();
      };
      return { table, drop: (targets) => table.drop(targets), leave };
    }
    const shared = this.#shared.get(key) ?? this.#share(key);
    shared.users += 1;
    let isUsed = true;
    return {
      table: shared.table,
      drop: () => {},
      leave: () => {
        if (!isUsed) return;
        isUsed = false;
        shared.users -= 1;
        this.#forget(key);
      },
    };
  }

  /** The same as {@link TaskTable.awaited}, of all sessions and callers. */
  awaited(): number {
    const ofCallers = [...this.#shared.values()].map(({ table }) => table);
    return [...this.#ofSessions, ...ofCallers].reduce((sum, table) => sum + table.awaited(), 0);
  }

  /** Forgets the tasks of targets that were removed or changed, of all callers. */
  drop(targets: readonly string[]): void {
    for (const { table } of this.#shared.values()) table.drop(targets);
  }

  /** Forgets all tasks of all callers. */
  close(): void {
    for (const { table } of this.#shared.values()) table.close();
    this.#shared.clear();
  }

  #share(key: string): Shared {
    const shared: Shared = { table: this.#create('caller', maxPerCaller, () => this.#forget(key)), users: 0 };
    this.#shared.set(key, shared);
    return shared;
  }

  /** Forgets a table that nobody uses, and that has no tasks. */
  #forget(key: string): void {
    const shared = this.#shared.get(key);
    if (shared?.users === 0 && shared.table.size === 0) this.#shared.delete(key);
  }

  #create(owner: 'session' | 'caller', most: number, emptied: Stop = () => {}): TaskTable {
    return new TaskTable({ clock: this.#clock, budget: this.#budget, owner, most, emptied });
  }
}
