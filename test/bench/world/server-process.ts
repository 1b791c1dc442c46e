import { rmSync } from 'node:fs';
import { createPipeline } from '../../../src/app/pipeline.ts';
import { createMetrics } from '../../../src/debug/debug.ts';
import type { Labels } from '../../../src/edges.ts';
import { DeltaDiscoveryResponse } from '../../../src/gen/envoy/service/discovery/v3/discovery.ts';
import { Target } from '../../../src/gen/mcp/kgateway/dev/target/v1alpha1/target.ts';
import { createLog } from '../../../src/log/log.ts';
import { createAdsServer } from '../../../src/serve/serve.ts';
import type { Batch } from '../../../src/source/model.ts';
import { fileSource } from '../../../src/source/source.ts';
import { systemClock } from '../../support/edges/system-clock.ts';
import { targetType } from '../../support/worlds/hand-made-world.ts';
import { defaultSettings } from '../../support/worlds/translated-world.ts';
import { heapUsed } from '../heap.ts';
import type { FromServer, ToServer } from '../nodes/messages.ts';
import { createWorldFiles } from './world-files.ts';

/**
 * A process of its own with the whole control plane in it, on a folder of its own: `world-server.ts <gateways>
 * <services>`. It is put together as the program is, but for the listeners of operators.
 */
const [gateways = '1', services = '10'] = process.argv.slice(2);
const tell = (message: FromServer): void => void process.send?.(message);
const files = createWorldFiles(Number(gateways), Number(services));
const metrics = createMetrics();
const log = createLog('info', 'json', false, false);

/** What was counted since the start. */
const counts = { acks: 0, responses: 0, assemblies: 0, encodes: 0 };
let look: () => void = () => {};
const counters = {
  ...metrics,
  count: (name: Parameters<typeof metrics.count>[0], labels?: Labels, by = 1): void => {
    metrics.count(name, labels, by);
    if (name === 'gatehouse_xds_responses_total') counts.responses += by;
    if (name === 'gatehouse_xds_assemblies_total') counts.assemblies += by;
    if (name === 'gatehouse_wire_encodes_total') counts.encodes += by;
    if (name !== 'gatehouse_xds_acks_total') return;
    counts.acks += by;
    look();
  },
};

const pipeline = createPipeline(defaultSettings, { log, counters });
const ads = createAdsServer(
  {},
  {
    snapshots: pipeline.snapshots,
    ready: pipeline.synced,
    clusterDomain: defaultSettings.clusterDomain,
    clock: systemClock,
    random: Math.random,
    log,
    counters,
  },
);

/** Settles once this holds; looked at after every ACK. */
function until(condition: () => boolean): Promise<void> {
  return new Promise((resolve) => {
    look = () => {
      if (!condition()) return;
      look = () => {};
      resolve();
    };
    look();
  });
}

let port = 80;
/** What the last commit that brought an edit began with. */
let committed = { port, start: 0, cpu: process.cpuUsage(), counts: { ...counts } };

function deliver(batch: Batch): void {
  const before = { start: performance.now(), cpu: process.cpuUsage(), counts: { ...counts } };
  pipeline.deliver(batch);
  const gateway = gateways === '1' ? 'default/gw' : 'default/gw-0';
  const target = pipeline.snapshots.of(gateway).views.get(targetType)?.get(files.edited);
  const [resource] = target === undefined ? [] : DeltaDiscoveryResponse.decode(target.deltaField).resources;
  if (resource?.resource !== undefined) committed = { ...before, port: Target.decode(resource.resource.value).port };
}

/** Edits the file. Settles once so many nodes, all that there are, confirmed it. */
async function edit(nodes: number): Promise<void> {
  port += 1;
  files.edit(port);
  await until(
    () =>
      committed.port === port &&
      counts.responses - committed.counts.responses >= nodes &&
      counts.acks === counts.responses,
  );
}

async function push(nodes: number): Promise<void> {
  await edit(nodes);
  const { user, system } = process.cpuUsage(committed.cpu);
  tell({
    kind: 'pushed',
    cpu: user + system,
    milliseconds: performance.now() - committed.start,
    encodes: counts.encodes - committed.counts.encodes,
    assemblies: counts.assemblies - committed.counts.assemblies,
  });
}

async function propagate(nodes: number): Promise<void> {
  const start = performance.now();
  await edit(nodes);
  tell({ kind: 'propagated', milliseconds: performance.now() - start });
}

async function weigh(acks: number): Promise<void> {
  await until(() => counts.acks >= acks);
  const heap = heapUsed();
  tell({ kind: 'weighed', resident: process.memoryUsage.rss(), heap });
}

process.on('message', (message: ToServer) => {
  switch (message.kind) {
    case 'push':
      return push(message.nodes);
    case 'edit-file':
      return propagate(message.nodes);
    case 'weigh':
      return weigh(message.acks);
    case 'time':
      throw new Error('nobody times single nodes here');
  }
});
process.on('exit', () => rmSync(files.folder, { recursive: true, force: true }));
process.on('disconnect', () => process.exit());
process.on('SIGTERM', () => process.exit());
await fileSource({ roots: [files.folder], clock: systemClock, log, counters }).start(deliver);
const address = await ads.start({ host: '127.0.0.1', port: 0 });
tell({ kind: 'listening', port: address.port });
