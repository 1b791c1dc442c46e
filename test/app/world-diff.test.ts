import { expect, it } from 'vitest';
import { type OfflineWorld, openOffline } from '../../src/app/offline/offline.ts';
import { worldDiff } from '../../src/app/offline/world-diff.ts';
import { createRecordedLog } from '../support/edges/recorded-log.ts';
import { systemClock } from '../support/edges/system-clock.ts';
import { mcpClass, mcpGateway, mcpService, policy, together } from '../support/worlds/manifests.ts';
import { defaultSettings } from '../support/worlds/translated-world.ts';

const keys = Array.from({ length: 30 }, (_, index) => `team-${index}/gw`);

/** A world in which it is counted what is computed of each Gateway. */
async function world(
  text: string,
): Promise<{ readonly world: OfflineWorld; readonly counts: { targets: number; grants: Set<string> } }> {
  const settings = { ...defaultSettings, filenames: ['-'], namespaces: [] };
  const opened = await openOffline(settings, {
    clock: systemClock,
    log: createRecordedLog(),
    readStdin: () => Promise.resolve(text),
  });
  const counts = { targets: 0, grants: new Set<string>() };
  const explainer: OfflineWorld['explainer'] = {
    ...opened.explainer,
    targets: (gateway) => {
      counts.targets += 1;
      return opened.explainer.targets(gateway);
    },
    grants: (gateway, filter) => {
      counts.grants.add(gateway);
      return opened.explainer.grants(gateway, filter);
    },
  };
  return { world: { ...opened, explainer }, counts };
}

const before = together(
  mcpClass,
  mcpService('team-1/tool'),
  ...keys.map((key) => mcpGateway(key)),
  ...keys.map((key) => policy(key.replace('/gw', '/p'), 'gw', 'me', '{ kind: tool, name: "team-1/tool:run" }')),
);

it('a change of one policy compares the rules of its Gateway only, and the targets once for each scope', async () => {
  const [old, now] = [await world(before), await world(before.replace('"team-1/tool:run"', '"team-1/tool:walk"'))];
  const diff = await worldDiff(old.world, now.world);
  expect(diff.gained.listed).toMatchObject([{ gateway: 'team-0/gw', name: 'team-1/tool:walk' }]);
  expect(diff.lost.listed).toMatchObject([{ gateway: 'team-0/gw', name: 'team-1/tool:run' }]);
  expect([...old.counts.grants, ...now.counts.grants]).toEqual(['team-0/gw', 'team-0/gw']);
  expect([old.counts.targets, now.counts.targets]).toEqual([1, 1]);
});

it('a target that appears is a change of every Gateway that serves it', async () => {
  const [old, now] = [await world(before), await world(together(before, mcpService('team-2/more')))];
  const { targets, gained } = await worldDiff(old.world, now.world);
  expect([targets.total, gained.total]).toEqual([keys.length, 0]);
  expect([old.counts.targets, now.counts.targets]).toEqual([1, 1]);
  const one = await worldDiff(old.world, now.world, 'team-3/gw');
  expect(one.targets.listed).toMatchObject([{ gateway: 'team-3/gw', change: 'added', target: 'team-2/more' }]);
});
