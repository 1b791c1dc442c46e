import { expect, it } from 'vitest';
import { createPipeline } from '../../src/app/pipeline.ts';
import { createAdsServer } from '../../src/serve/serve.ts';
import { parseManifest } from '../../src/source/files/manifest/parse-manifest.ts';
import { ManifestStore } from '../../src/source/files/manifest-store.ts';
import { createManualClock } from '../support/edges/manual-clock.ts';
import { createRecordedCounters } from '../support/edges/recorded-counters.ts';
import { createRecordedLog } from '../support/edges/recorded-log.ts';
import { createAdsClient } from '../support/nodes/ads-client.ts';
import { targetType } from '../support/worlds/hand-made-world.ts';
import { mcpClass, mcpGateway, mcpService, together } from '../support/worlds/manifests.ts';
import { nodeOf, unsecured } from '../support/worlds/served-world.ts';
import { defaultSettings } from '../support/worlds/translated-world.ts';

it('a changed Service is encoded once and built into one response body for all nodes of all Gateways, and sent once to each node', async () => {
  const counters = createRecordedCounters();
  const log = createRecordedLog();
  const clock = createManualClock();
  const pipeline = createPipeline(defaultSettings, { log, counters });
  const files = new ManifestStore({ roots: ['folder'], log, counters });
  files.rootFound(0);
  const write = (name: string, ...documents: readonly string[]): void => {
    const path = `folder/${name}`;
    files.setFile({ root: 0, name, path, realPath: path }, parseManifest(together(...documents), []));
    const batch = files.takeBatch();
    if (batch !== undefined) pipeline.deliver(batch);
  };
  const gateways = Array.from({ length: 20 }, (_, at) => `ns-${at}/gw`);
  const changing = 'ns-0/tool-0';
  const services = Array.from({ length: 50 }, (_, at) => mcpService(`ns-${at % 10}/tool-${at}`));
  write('world.yaml', mcpClass, ...gateways.map((key) => mcpGateway(key)), ...services.slice(1));
  write('service.yaml', mcpService(changing));
  const { snapshots, synced: ready } = pipeline;
  const { clusterDomain } = defaultSettings;
  const server = createAdsServer(
    {},
    { ...unsecured, snapshots, ready, clusterDomain, clock, random: () => 0.5, log, counters },
  );
  const { port } = await server.start({ host: '127.0.0.1', port: 0 });
  const client = createAdsClient(`127.0.0.1:${port}`);
  const streams = [...gateways, ...gateways].map((key) => client.open().request(targetType, { node: nodeOf(key) }));
  for (const stream of streams) await stream.accept();
  for (const stream of streams) await stream.silence();
  const counted = (): readonly number[] => [
    counters.total('gatehouse_wire_encodes_total'),
    counters.total('gatehouse_xds_assemblies_total'),
    counters.total('gatehouse_xds_responses_total'),
  ];
  const before = counted();
  write('service.yaml', mcpService(changing, '10.0.0.2'));
  for (const stream of streams) expect((await stream.accept()).names).toEqual([changing]);
  expect(counted().map((count, at) => count - (before[at] ?? 0))).toEqual([1, 1, streams.length]);
  // No further response follows.
  for (const stream of streams) await stream.silence();
  client.close();
  const stopped = server.stop(0);
  clock.advance(0);
  await stopped;
});
