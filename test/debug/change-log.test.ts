import { expect, it } from 'vitest';
import { ChangeLog } from '../../src/debug/change-log.ts';
import type { Commit } from '../../src/graph/model.ts';
import type { ResourceChange } from '../../src/source/model.ts';

function commit(epoch: number): Commit {
  return { epoch, runs: 1, failures: [], changes: () => [] };
}

function committed(log: ChangeLog, epoch: number, at: number, changes: readonly ResourceChange[] = []): void {
  log.committed({ commit: commit(epoch), changes, cause: 'change', at, encodeMilliseconds: 0, encoded: new Map() });
}

it('the last 200 commits are remembered, with 20 names each', () => {
  const log = new ChangeLog();
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
  const log = new ChangeLog();
  log.pushed(0);
  log.answered(0, 0, true);
  committed(log, 1, 10);
  log.pushed(11);
  log.pushed(12);
  committed(log, 2, 20);
  log.answered(11, 25, true);
  log.pushed(21);
  log.answered(12, 26, false);
  log.answered(21, 29, true);
  expect(log.list()).toMatchObject([
    { epoch: 2, pushes: 1, lastPush: 21, acks: 1, lastAck: 29, nacks: 0 },
    { epoch: 1, pushes: 2, lastPush: 12, acks: 1, lastAck: 25, nacks: 1 },
  ]);
});
