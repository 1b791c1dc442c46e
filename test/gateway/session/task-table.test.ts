import { expect, it } from 'vitest';
import type { TaskTable } from '../../../src/gateway/session/tasks/task-table.ts';
import { TaskTables } from '../../../src/gateway/session/tasks/task-tables.ts';
import { createManualClock } from '../../support/edges/manual-clock.ts';
import { systemClock } from '../../support/edges/system-clock.ts';

const callerOf = (identity: string) =>
  ({ kind: 'principal', claims: {}, identity, expiresAt: Number.POSITIVE_INFINITY }) as const;
const me = callerOf('me');

function add(table: TaskTable, upstreamId: string, caller: ReturnType<typeof callerOf> = me, progress?: number) {
  const tool = { target: 'a', name: 'x', requestedName: 'a:x', use: { kind: 'tool', name: 'a:x' } } as const;
  const ofCall = progress === undefined ? undefined : { ofTarget: progress, ofClient: 'p' };
  return table.reserve(caller).add({ upstreamId, tool, progress: ofCall }, { status: 'working', ttl: 1_000 });
}

/** Adds tasks until there is no room; returns how many there was room for. */
function fill(table: TaskTable, identity: string): number {
  for (let count = 0; ; count += 1) {
    try {
      add(table, `${identity} ${count}`, callerOf(identity));
    } catch (error) {
      expect(error).toMatchObject({
        code: -32000,
        message: expect.stringMatching(/^A caller has at most 2048 tasks, all together 8192/),
      });
      return count;
    }
  }
}

it('finds a task by its id at the target, and by the progress token of its call, until it is forgotten', () => {
  const { table } = new TaskTables(createManualClock()).open();
  const first = add(table, '1', me, 1);
  expect([table.at('a', '1'), table.withProgress('a', 1)]).toEqual([first, first]);
  expect([table.at('a', 1), table.at('b', '1'), table.withProgress('a', '1')]).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
  // The target gives the id out again.
  const second = add(table, '1', me, 2);
  expect([table.at('a', '1'), table.withProgress('a', 1), table.find(first.id, me)]).toEqual([
    second,
    undefined,
    undefined,
  ]);
  table.remove(second);
  expect([table.at('a', '1'), table.withProgress('a', 2), table.size]).toEqual([undefined, undefined, 0]);
});

it('has room for 2,048 tasks of one caller without sessions, and for others beside those who take all they can', () => {
  const tables = new TaskTables(systemClock);
  const counts = Array.from({ length: 12 }, (_, index) => fill(tables.open(`caller ${index}`).table, `${index}`));
  expect(counts[0]).toBe(2_048);
  expect(counts.at(-1)).toBeGreaterThan(0);
  expect(counts.reduce((sum, count) => sum + count)).toBeLessThan(8_192);
  tables.close();
});

it('ten thousand tasks one after the other take the room of those that are over', () => {
  const { table } = new TaskTables(systemClock).open('me');
  for (let count = 0; count < 10_000; count += 1) table.note(add(table, `${count}`), { status: 'completed' });
  expect(table.size).toBe(2_048);
  expect([table.at('a', '0'), table.at('a', '9999')]).toEqual([undefined, expect.anything()]);
  table.close();
});

it('is shared by the sessions of a caller for as long as one is open or has a task', () => {
  const clock = createManualClock();
  const tables = new TaskTables(clock);
  const [one, other] = [tables.open('me'), tables.open('me')];
  expect(other.table).toBe(one.table);
  expect(tables.open('you').table).not.toBe(one.table);
  const task = add(one.table, '1');
  one.leave();
  one.leave();
  other.leave();
  expect(tables.open('me').table.find(task.id, me)).toBe(task);
  clock.advance(24 * 3_600_000);
  expect(one.table.size).toBe(0);
});

it('forgets the tasks of a session with it, and adds none after that', () => {
  const open = new TaskTables(createManualClock()).open();
  const place = open.table.reserve(me);
  add(open.table, '1');
  open.leave();
  const tool = { target: 'a', name: 'x', requestedName: 'a:x', use: { kind: 'tool', name: 'a:x' } } as const;
  place.add({ upstreamId: '2', tool, progress: undefined }, {});
  place.release();
  expect([open.table.size, open.table.at('a', '2')]).toEqual([0, undefined]);
});
