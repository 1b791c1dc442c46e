import { expect, it } from 'vitest';
import { postponedStatuses } from '../../src/app/app.ts';
import { createGraph } from '../../src/graph/graph.ts';
import { createManualClock } from '../support/edges/manual-clock.ts';
import { createRecordedLog } from '../support/edges/recorded-log.ts';

/** Five statuses, of which a commit computes two. */
function createRig() {
  const [clock, log, graph] = [createManualClock(), createRecordedLog(), createGraph()];
  const gateway = graph.source<string>({ name: 'gateway' });
  const policies = graph.source<string>({ name: 'policies' });
  const statuses = graph.derive(policies, (name, context) => `${name} ${context.get(gateway, '')}`, {
    name: 'statuses',
    atOnce: 2,
  });
  graph.commit(() => {
    for (const name of ['a', 'b', 'c', 'd', 'e']) policies.set(name, name);
  });
  graph.postpone();
  const told: (readonly string[])[] = [];
  let isBroken = false;
  const later = postponedStatuses({
    pipeline: { graph, synced: () => true },
    input: {
      applied(commit) {
        told.push(commit.changes(statuses).map(({ key }) => key));
        if (isBroken) throw new Error('on purpose');
      },
    },
    clock,
    log,
  });
  return {
    clock,
    log,
    told,
    later,
    breakInput: () => {
      isBroken = true;
    },
    change: (value: string) => graph.commit(() => gateway.set('', value)),
  };
}

it('statuses that a commit has postponed are told a part at a time, also when telling them throws', () => {
  const rig = createRig();
  rig.later.resumeLater();
  expect(rig.clock.waiting(), 'nothing is left').toEqual([]);
  rig.change('gone');
  rig.later.resumeLater();
  rig.later.resumeLater();
  expect(rig.clock.waiting()).toHaveLength(1);
  rig.breakInput();
  rig.clock.advance(1_000);
  expect(rig.told).toEqual([['c', 'd'], ['e']]);
  expect(rig.clock.waiting()).toEqual([]);
  expect(rig.log.lines.map(({ level }) => level)).toEqual(['error', 'error']);
});

it('statuses that were postponed wait for the end of a change in parts, and are not told after the stop', () => {
  const rig = createRig();
  rig.change('gone');
  rig.later.resumeLater();
  rig.later.stop();
  rig.clock.advance(1_000);
  expect(rig.told).toEqual([]);
  rig.later.resumeLater();
  rig.clock.advance(1_000);
  expect(rig.told).toEqual([['c', 'd'], ['e']]);
});
