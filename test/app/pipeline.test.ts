import { expect, it } from 'vitest';
import { createPipeline } from '../../src/app/pipeline.ts';
import type { Commit } from '../../src/graph/model.ts';
import { parseManifest } from '../../src/source/files/manifest/parse-manifest.ts';
import { ManifestStore } from '../../src/source/files/manifest-store.ts';
import type { ResourceChange } from '../../src/source/model.ts';
import { createRecordedCounters } from '../support/edges/recorded-counters.ts';
import { createRecordedLog } from '../support/edges/recorded-log.ts';
import { targetType } from '../support/worlds/hand-made-world.ts';
import { mcpClass, mcpGateway, mcpService, policy, together } from '../support/worlds/manifests.ts';
import { defaultSettings } from '../support/worlds/translated-world.ts';

/** A pipeline, and the changes that make its world that of some manifests. */
function createRig() {
  const [counters, log] = [createRecordedCounters(), createRecordedLog()];
  const pipeline = createPipeline(defaultSettings, { log, counters });
  const files = new ManifestStore({ roots: ['folder'], log, counters });
  files.rootFound(0);
  const changesTo = (...documents: readonly string[]): readonly ResourceChange[] => {
    const file = { root: 0, name: 'world.yaml', path: 'folder/world.yaml', realPath: 'folder/world.yaml' };
    files.setFile(file, parseManifest(together(...documents), []));
    return files.takeBatch()?.changes ?? [];
  };
  const served = (): readonly string[] =>
    [...(pipeline.snapshots.of('default/gw').views.get(targetType)?.resources() ?? [])].map(({ name }) => name);
  return { pipeline, changesTo, served };
}

it('what is told of Gateways before a commit counts may throw: the commit counts, and is told again with the next one', () => {
  const { pipeline, changesTo, served } = createRig();
  const common = [mcpClass, mcpGateway('default/gw')];
  const told: string[][] = [];
  let fails = true;
  const deliver = (...documents: readonly string[]): readonly unknown[] => {
    const batch = { changes: changesTo(...common, ...documents), unlistedNamespaces: 'named', synced: true } as const;
    return pipeline.deliver(batch, (gateways) => {
      told.push(gateways.map(({ key }) => key));
      if (fails) throw new Error('on purpose');
    }).failures;
  };
  expect(deliver(mcpService('default/granted'))).toEqual([new Error('on purpose')]);
  expect(served()).toEqual(['default/granted']);
  fails = false;
  expect(deliver()).toEqual([]);
  expect(served(), 'what was taken away').toEqual([]);
  deliver();
  expect(told).toEqual([['default/gw'], ['default/gw'], []]);
});

it('a subscriber that throws keeps a commit from nobody, and what follows is done', () => {
  const { pipeline, changesTo, served } = createRig();
  pipeline.snapshots.subscribe('default/gw', () => {
    throw new Error('on purpose');
  });
  const changes = changesTo(mcpClass, mcpGateway('default/gw'), mcpService('default/a'));
  const { failures, encoded } = pipeline.deliver({ changes, unlistedNamespaces: 'named', synced: true });
  expect(failures).toEqual([new Error('on purpose')]);
  expect(encoded.get(targetType)).toBe(1);
  expect([served(), pipeline.synced()]).toEqual([['default/a'], true]);
});

it('a Gateway that goes takes what it is served at once, and the statuses of its policies follow', () => {
  const { pipeline, changesTo } = createRig();
  const { graph, translation } = pipeline;
  const deliver = (...documents: readonly string[]): Commit =>
    pipeline.deliver({ changes: changesTo(...documents), unlistedNamespaces: 'named', synced: true }).commit;
  const policies = Array.from({ length: 1_200 }, (_, at) => policy(`default/p-${at}`, 'gw'));
  deliver(mcpClass, mcpGateway('default/gw'), ...policies);
  graph.postpone();
  const isMissing = (): number =>
    [...translation.policyStatuses.entries()].filter(
      ([, { ancestors }]) => ancestors[0]?.conditions[0]?.reason === 'TargetNotFound',
    ).length;
  const served = (): number =>
    [...pipeline.snapshots.of('default/gw').views.values()].reduce((sum, { size }) => sum + size, 0);
  expect(served()).toBe(1_200);
  // What is attached does not read the Gateway.
  const { runs } = deliver(mcpClass, ...policies);
  expect(served()).toBe(0);
  expect(runs).toBeLessThan(250 + 20);
  expect([isMissing(), graph.isUnfinished]).toEqual([250, true]);
  for (let turns = 0; turns < 4; turns += 1) graph.resume();
  expect([isMissing(), graph.isUnfinished]).toEqual([1_200, false]);
});
