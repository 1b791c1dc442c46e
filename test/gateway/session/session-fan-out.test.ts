import { setImmediate as nextIteration } from 'node:timers/promises';
import { expect, it } from 'vitest';
import type { Clock } from '../../../src/edges.ts';
import type { ConfigChange } from '../../../src/gateway/model.ts';
import { createSessionFanOut, type FollowedChange } from '../../../src/gateway/session/session-fan-out.ts';
import { createRecordedLog } from '../../support/edges/recorded-log.ts';
import { createFakeConfig } from '../../support/gateway/fake-config.ts';

/** A clock by which each look at it, and so each session that is told, takes a millisecond. */
function createSteadyClock(): Clock {
  let now = 0;
  return {
    now: () => 0,
    monotonic: () => ++now,
    after: () => () => {},
  };
}

function createRig(count: number) {
  const log = createRecordedLog();
  const told: FollowedChange[] = [];
  const config = createFakeConfig();
  const recovered: string[] = [];
  const sessions = new Set(
    Array.from({ length: count }, () => ({
      configChanged: (change: FollowedChange) => void told.push(change),
      targetRecovered: (target: string, method: string) => void recovered.push(`${target} ${method}`),
    })),
  );
  const fanOut = createSessionFanOut(sessions, { config, clock: createSteadyClock(), log });
  return { config, log, told, recovered, sessions, fanOut };
}

const targets = (...names: readonly string[]): ConfigChange => ({ targets: names, rbacConfigs: [] });

it('sessions are told of a change for five milliseconds at once, and the others later', async () => {
  const { fanOut, told } = createRig(100);
  fanOut.changed(targets('a'));
  expect(told.length).toBeLessThanOrEqual(6);
  for (let before = 0; before < 100; before = told.length) {
    await nextIteration();
    expect(told.length - before).toBeGreaterThan(0);
    expect(told.length - before).toBeLessThanOrEqual(12);
  }
  expect(told).toEqual(new Array(100).fill({ targets: ['a'], rules: undefined }));
});

it('all that happens while they are told is told together afterwards, once', async () => {
  const { config, fanOut, told, recovered } = createRig(100);
  fanOut.changed(targets('a'));
  for (let change = 0; change < 1_000; change += 1) {
    fanOut.changed(targets('b', 'c'));
    fanOut.recovered('b', ['tools/list']);
  }
  for (const who of ['me', 'you']) {
    config.allow('n.p', who, 'tool', '*');
    fanOut.changed({ targets: [], rbacConfigs: ['n.p'] });
  }
  await expect.poll(() => told.length).toBe(200);
  const concerned = told
    .slice(100)
    .map(({ targets: changed, rules }) => [
      changed,
      ['me', 'you', 'they'].map((sub) => rules?.concern('tool', { sub })),
      rules?.concern('prompt', { sub: 'me' }),
    ]);
  expect(concerned).toEqual(new Array(100).fill([['b', 'c'], [true, true, false], false]));
  expect(recovered).toEqual(new Array(100).fill('b tools/list'));
  fanOut.recovered('d', ['prompts/list', 'tools/list']);
  await expect.poll(() => recovered.length).toBe(300);
  expect(told).toHaveLength(200);
});

it('a session that has ended meanwhile is told of nothing, and one that fails leaves a line in the log', async () => {
  const { fanOut, told, sessions, log } = createRig(100);
  fanOut.changed(targets('a'));
  const before = told.length;
  sessions.clear();
  fanOut.changed(targets('b'));
  await nextIteration();
  await nextIteration();
  expect(told).toHaveLength(before);
  sessions.add({
    configChanged() {
      throw new Error('broken');
    },
    targetRecovered: () => {},
  });
  fanOut.changed(targets('c'));
  await expect.poll(() => log.lines).toMatchObject([{ level: 'error', fields: { error: 'broken' } }]);
});
