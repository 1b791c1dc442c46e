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
 * Entry file of a process with the whole control plane on a temporary folder: `server-process.ts <gateways> <services>`.
 * Composed like the program, without the listeners for operators.
 */
const [gateways = '1', services = '10'] = process.argv.slice(2);
const send = (message: FromServer): void => void process.send?.(message);
const files = createWorldFiles(Number(gateways), Number(services));
const metrics = createMetrics({ lostLines: 0 });
const log = createLog('info', 'json', false, false);

/** Since the start. */
const counts = { acks: 0, responses: 0, assemblies: 0, encodes: 0 };
let onAck: () => void = () => {};
const counters = {
  ...metrics,
  count: (name: Parameters<typeof metrics.count>[0], labels?: Labels, by = 1): void => {
    metrics.count(name, labels, by);
    if (name === 'gatehouse_xds_responses_total') counts.responses += by;
    if (name === 'gatehouse_xds_assemblies_total') counts.assemblies += by;
    if (name === 'gatehouse_wire_encodes_total') counts.encodes += by;
    if (name !== 'gatehouse_xds_acks_total') return;
    counts.acks += by;
    onAck();
  },
};

const pipeline = createPipeline(defaultSettings, { log, counters });
const ads = createAdsServer(
  {},
  {
    snapshots: pipeline.snapshots,
    ready: pipeline.synced,
    tls: undefined,
    auth: undefined,
    updates: undefined,
    clusterDomain: defaultSettings.clusterDomain,
    clock: systemClock,
    random: Math.random,
    log,
    counters,
  },
);

/** Resolves when the condition holds; checks it now and after every ACK. */
function until(condition: () => boolean): Promise<void> {
  return new Promise((resolve) => {
    onAck = () => {
      if (!condition()) return;
      onAck = () => {};
      resolve();
    };
    onAck();
  });
}

let port = 80;
/** State just before the last commit that contained an edit. */
let committed = { port, start: 0, cpu: process.cpuUsage(), counts: { ...counts } };

function deliver(batch: Batch): void {
  const before = { start: performance.now(), cpu: process.cpuUsage(), counts: { ...counts } };
  pipeline.deliver(batch);
  const gateway = gateways === '1' ? 'default/gw' : 'default/gw-0';
  const target = pipeline.snapshots.of(gateway).views.get(targetType)?.get(files.edited);
  const [resource] = target === undefined ? [] : DeltaDiscoveryResponse.decode(target.deltaField).resources;
  if (resource?.resource !== undefined) committed = { ...before, port: Target.decode(resource.resource.value).port };
}

/** Edits the file; resolves when all nodes, this many, have acknowledged the change. */
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
  send({
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
  send({ kind: 'propagated', milliseconds: performance.now() - start });
}

async function measureMemory(acks: number): Promise<void> {
  await until(() => counts.acks >= acks);
  const heap = heapUsed();
  send({ kind: 'memory', resident: process.memoryUsage.rss(), heap });
}

process.on('message', (message: ToServer) => {
  switch (message.kind) {
    case 'push':
      return push(message.nodes);
    case 'edit-file':
      return propagate(message.nodes);
    case 'measure-memory':
      return measureMemory(message.acks);
    case 'time-acks':
      throw new Error('this server does not time the ACKs of single nodes');
  }
});
process.on('exit', () => rmSync(files.folder, { recursive: true, force: true }));
process.on('disconnect', () => process.exit());
process.on('SIGTERM', () => process.exit());
await fileSource({ roots: [files.folder], clock: systemClock, log, counters }).start(deliver);
const address = await ads.start({ host: '127.0.0.1', port: 0 });
send({ kind: 'listening', port: address.port });
