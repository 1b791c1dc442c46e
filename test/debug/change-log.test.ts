import { expect, it } from 'vitest';
import { ChangeLog } from '../../src/debug/change-log.ts';
import type { ChangeRecord } from '../../src/debug/model.ts';
import type { Commit } from '../../src/graph/model.ts';
import type { ResourceChange } from '../../src/source/model.ts';
import { createManualClock, type ManualClock } from '../support/edges/manual-clock.ts';

function commit(epoch: number): Commit {
  return { epoch, runs: 1, failures: [], changes: () => [] };
}

const noTimes = { since: 0, decoded: 0, translated: 0, cause: 'change', encoded: new Map() } as const;

function createLog(): {
  readonly log: ChangeLog;
  readonly clock: ManualClock;
  readonly settled: readonly ChangeRecord[];
} {
  const clock = createManualClock(0);
  const settled: ChangeRecord[] = [];
  return { log: new ChangeLog({ clock, settled: (record) => settled.push(record) }), clock, settled };
}

function committed(
  log: ChangeLog,
  epoch: number,
  at: number,
  changes: readonly ResourceChange[] = [],
  more = false,
): void {
  log.committed({ ...noTimes, decoded: at, encoded: new Map([['type', 1]]), commit: commit(epoch), changes, at, more });
}

it('the last 200 commits are remembered, with 20 names each', () => {
  const { log } = createLog();
  const changes = Array.from({ length: 10_000 }, (_, index): ResourceChange => {
    return { kind: 'Service', key: `default/tool-${index}`, resource: undefined };
  });
  for (let epoch = 1; epoch <= 1_000; epoch += 1) committed(log, epoch, epoch, changes);
  const records = log.list();
  expect(records).toHaveLength(200);
  expect(records[0]).toMatchObject({ epoch: 1_000, total: 10_000 });
  expect(records.at(-1)?.epoch).toBe(801);
  expect(records[0]?.objects).toHaveLength(20);
  expect(records[0]?.objects[0]).toEqual({ kind: 'Service', key: 'default/tool-0', change: 'deleted' });
});

it('a response counts for the last commit, and its answer for the commit that it was sent after', () => {
  const { log } = createLog();
  log.answered(log.pushed(0), 0, true);
  committed(log, 1, 10);
  const first = [log.pushed(11), log.pushed(12)];
  // In the millisecond of a response that belongs to the commit before it.
  committed(log, 2, 12);
  log.answered(first[0] ?? 0, 25, true);
  const second = log.pushed(21);
  log.answered(first[1] ?? 0, 26, false);
  log.answered(second, 29, true);
  expect(log.list()).toMatchObject([
    { epoch: 2, pushes: 1, lastPush: 21, acks: 1, lastAck: 29, nacks: 0 },
    { epoch: 1, pushes: 2, lastPush: 12, acks: 1, lastAck: 25, nacks: 1 },
  ]);
});

it('a commit settles a second after its last answer, once, and one that no node was sent does not', () => {
  const { log, clock, settled } = createLog();
  committed(log, 1, 0);
  clock.advance(900);
  committed(log, 2, 900);
  log.pushed(900);
  const epoch = log.pushed(900);
  clock.advance(100);
  log.answered(epoch, 1_000, true);
  log.answered(epoch, 1_000, false);
  clock.advance(900);
  expect(settled).toEqual([]);
  clock.advance(2_000);
  expect(settled).toMatchObject([{ epoch: 2, lastPush: 900, lastAck: 1_000 }]);
  expect(clock.waiting(), 'nothing is left to wait for').toEqual([]);
});

it('a commit waits for the ACKs of its nodes while the next one settles, and not for ever', () => {
  const { log, clock, settled } = createLog();
  committed(log, 1, 0);
  log.pushed(0);
  const slow = log.pushed(0);
  clock.advance(10);
  committed(log, 2, 10);
  log.answered(log.pushed(10), 10, true);
  clock.advance(2_990);
  expect(settled).toMatchObject([{ epoch: 2 }]);
  log.answered(slow, 3_000, true);
  clock.advance(20_000);
  expect(settled).toMatchObject([{ epoch: 2 }, { epoch: 1, pushes: 2, acks: 1, lastAck: 3_000 }]);
});

it('what is stopped or forgotten has settled', () => {
  const { log, settled, clock } = createLog();
  for (let epoch = 1; epoch <= 201; epoch += 1) {
    committed(log, epoch, 0);
    log.pushed(0);
  }
  expect(settled.map(({ epoch }) => epoch)).toEqual([1]);
  log.stop();
  expect(settled).toHaveLength(201);
  expect(clock.waiting()).toEqual([]);
});

it('a change of several commits is one record', () => {
  const { log } = createLog();
  const change = (key: string): ResourceChange => ({ kind: 'Service', key, resource: undefined });
  committed(log, 1, 10, [change('default/a'), change('default/b')], true);
  committed(log, 2, 20, [change('default/c')], true);
  expect(log.list()).toEqual([]);
  committed(log, 3, 30, []);
  expect(log.list()).toMatchObject([
    { epoch: 3, decoded: 10, at: 30, total: 3, runs: 3, encoded: new Map([['type', 3]]) },
  ]);
  expect(log.list()[0]?.objects.map(({ key }) => key)).toEqual(['default/a', 'default/b', 'default/c']);
  committed(log, 4, 40, [change('default/d')]);
  expect(log.list()[0]).toMatchObject({ epoch: 4, decoded: 40, total: 1 });
});
