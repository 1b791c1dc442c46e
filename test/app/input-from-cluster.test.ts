import { expect, it } from 'vitest';
import { startedWhenSynced } from '../../src/app/input-from-cluster.ts';
import type { Explainer, Finding } from '../../src/explain/model.ts';
import type { Hint, StatusManager } from '../../src/status/model.ts';
import { createManualClock } from '../support/edges/manual-clock.ts';
import { createRecordedLog } from '../support/edges/recorded-log.ts';
import { createFreshWorld } from '../support/worlds/fresh-world.ts';

const finding: Finding = {
  severity: 'warning',
  from: 'hint',
  at: { kind: 'Gateway', key: 'default/gw', path: ['spec', 'gatewayClassName'] },
  message: 'Mend it.',
};

/** A replica whose leadership is what the test says. */
function createReplica() {
  const clock = createManualClock();
  const hinted: (readonly Hint[])[] = [];
  let leads = false;
  let looks = 0;
  let begin = (): void => {};
  const manager: StatusManager = {
    start: () => () => Promise.resolve(),
    applied: () => undefined,
    synced: () => undefined,
    leads: () => leads,
    rejected: () => undefined,
    denied: () => undefined,
    hinted: (hints) => hinted.push(hints),
  };
  const { pipeline } = createFreshWorld({});
  const explainer: Explainer = {
    ...pipeline.explainer,
    *hints() {
      looks += 1;
      yield finding;
    },
  };
  const create = (leading: () => void): StatusManager => {
    begin = leading;
    return manager;
  };
  const input = startedWhenSynced(create, { explainer, clock, log: createRecordedLog() });
  return {
    clock,
    hinted,
    looks: () => looks,
    commit: () => input.applied({ epoch: 1, changes: () => [], failures: [], runs: 0 }, { changes: [], synced: true }),
    synced: input.synced,
    lead(now: boolean) {
      leads = now;
      if (now) begin();
    },
  };
}

it('only the leader looks for hints: when it begins, and after changes', async () => {
  const replica = createReplica();
  replica.synced();
  for (let commit = 0; commit < 10; commit += 1) replica.commit();
  expect([replica.clock.waiting(), replica.looks()]).toEqual([[], 0]);
  replica.lead(true);
  replica.clock.advance(10_000);
  await new Promise(setImmediate);
  expect(replica.looks()).toBe(1);
  expect(replica.hinted).toEqual([
    [{ kind: 'Gateway', key: 'default/gw', field: 'spec.gatewayClassName', message: 'Mend it.' }],
  ]);
  replica.commit();
  replica.clock.advance(10_000);
  await new Promise(setImmediate);
  replica.lead(false);
  replica.commit();
  expect([replica.clock.waiting(), replica.looks()]).toEqual([[], 2]);
});
