import { expect, it } from 'vitest';
import { createPipeline } from '../../src/app/pipeline.ts';
import { createAdsServer } from '../../src/serve/serve.ts';
import { parseManifest } from '../../src/source/files/manifest/parse-manifest.ts';
import { ManifestStore } from '../../src/source/files/manifest-store.ts';
import { agentgateway } from '../../src/wire/wire.ts';
import { createManualClock } from '../support/edges/manual-clock.ts';
import { createRecordedCounters } from '../support/edges/recorded-counters.ts';
import { createRecordedLog } from '../support/edges/recorded-log.ts';
import { createAdsClient } from '../support/nodes/ads-client.ts';
import { targetType } from '../support/worlds/hand-made-world.ts';
import { mcpClass, mcpGateway, mcpService, together } from '../support/worlds/manifests.ts';
import { nodeOf, unsecured } from '../support/worlds/served-world.ts';
import { defaultSettings } from '../support/worlds/translated-world.ts';

it('no node sees a part of a change: neither one that follows, nor one that connects meanwhile, in either dialect', async () => {
  const [counters, log, clock] = [createRecordedCounters(), createRecordedLog(), createManualClock()];
  const pipeline = createPipeline(defaultSettings, { log, counters });
  const files = new ManifestStore({ roots: ['folder'], log, counters });
  files.rootFound(0);
  const changes = (...documents: readonly string[]) => {
    const file = { root: 0, name: 'world.yaml', path: 'folder/world.yaml', realPath: 'folder/world.yaml' };
    files.setFile(file, parseManifest(together(...documents), []));
    return files.takeBatch()?.changes ?? [];
  };
  const common = [mcpClass, mcpGateway('default/gw')];
  pipeline.deliver({ changes: [], unlistedNamespaces: 'named', more: true, synced: true });
  expect(pipeline.synced()).toBe(false);
  pipeline.deliver({
    changes: changes(...common, mcpService('default/goes'), mcpService('default/stays')),
    unlistedNamespaces: 'named',
    synced: true,
  });
  const { snapshots, synced: ready } = pipeline;
  const { clusterDomain } = defaultSettings;
  const server = createAdsServer(
    {},
    { ...unsecured, snapshots, ready, clusterDomain, clock, random: () => 0.5, log, counters },
  );
  const { port } = await server.start({ host: '127.0.0.1', port: 0 });
  const client = createAdsClient(`127.0.0.1:${port}`);
  const node = nodeOf('default/gw');
  const open = (type = targetType) => client.open().request(type, { node });

  const following = open();
  expect((await following.accept()).names.toSorted()).toEqual(['default/goes', 'default/stays']);
  const parts = changes(...common, mcpService('default/stays'), mcpService('default/comes'));
  expect(parts.map(({ key }) => key).toSorted()).toEqual(['default/comes', 'default/goes']);
  for (const part of parts) pipeline.deliver({ changes: [part], more: true, synced: true });

  await following.silence();
  expect((await open().accept()).names.toSorted()).toEqual(['default/goes', 'default/stays']);
  // What its dialect is made of would be computed from the part.
  expect((await open(agentgateway.resourceType.typeUrl).ended()).message).toContain('a large change is being applied');

  pipeline.deliver({ changes: [], synced: true });
  const update = await following.accept();
  expect([update.names, update.removed]).toEqual([['default/comes'], ['default/goes']]);
  expect((await open().accept()).names.toSorted()).toEqual(['default/comes', 'default/stays']);
  const other = await open(agentgateway.resourceType.typeUrl).accept();
  expect(other.names.join()).toContain('comes');
  expect(other.names.join()).not.toContain('goes');
  client.close();
  const stopped = server.stop(0);
  clock.advance(0);
  await stopped;
});
