import { setTimeout } from 'node:timers/promises';
import type { Bench, BenchResult, Row } from './model.ts';
import type { FromServer } from './nodes/messages.ts';
import type { Rig } from './nodes/rig.ts';
import { type ServerName, serverNames, startServerRig } from './servers/server-rig.ts';
import { median } from './statistics.ts';

/**
 * A thousand nodes connect at once: time until each has its first response, for new nodes and for nodes that report
 * initial resource versions, and memory per connected node.
 */
export const connectBench: Bench = { name: 'connect', run: benchConnect };

const nodes = 1000;
const sizes: readonly number[] = [10, 1000, 10_000];
const rounds = 9;
/** Milliseconds before all nodes connect, in which the stream rate limit (2,000 a second) recovers. */
const pause = 500;

/** Bytes. */
type Memory = Pick<Extract<FromServer, { kind: 'memory' }>, 'resident' | 'heap'>;

interface Measurement {
  readonly server: ServerName;
  readonly rig: Rig;
  readonly idle: Memory;
  readonly connected: Memory;
  /** Milliseconds until all new nodes have their first response, of each round. */
  readonly newNodes: number[];
  /** The same for nodes that report all versions. */
  readonly reportingNodes: number[];
}

async function benchConnect(progress: (line: string) => void): Promise<BenchResult> {
  const times: Row[] = [];
  const memory: Row[] = [];
  for (const targets of sizes) {
    const all: Measurement[] = [];
    try {
      for (const server of serverNames) {
        progress(`${server}, ${nodes} nodes, ${targets} targets`);
        all.push(await start(server, targets));
      }
      for (let round = 0; round < rounds; round += 1) {
        progress(`round ${round + 1} of ${rounds}`);
        for (const one of all) await measureRound(one);
      }
    } finally {
      for (const { rig } of all) rig.stop();
    }
    const floor = all[0];
    if (floor === undefined) break;
    times.push(...all.flatMap((one) => timeRows(one, floor, targets)));
    memory.push(...all.map((one) => memoryRow(one, floor, targets)));
  }
  return {
    broken: [],
    tables: [
      { title: `connect: ${nodes} nodes at once`, rows: times },
      {
        title: 'connect: memory per connected node, every first answer acknowledged, after a collection',
        rows: memory,
      },
    ],
  };
}

async function start(server: ServerName, targets: number): Promise<Measurement> {
  const rig = await startServerRig(server, { nodes, targets });
  const idle = await rig.server.request({ kind: 'measure-memory', acks: 0 }, 'memory');
  await rig.connect();
  const connected = await rig.server.request({ kind: 'measure-memory', acks: nodes }, 'memory');
  return { server, rig, idle, connected, newNodes: [], reportingNodes: [] };
}

/** Connects reporting nodes to gatehouse only: the baselines ignore versions. */
async function measureRound({ server, rig, newNodes, reportingNodes }: Measurement): Promise<void> {
  await rig.disconnect();
  await setTimeout(pause);
  newNodes.push((await rig.connect()).milliseconds);
  if (server !== 'gatehouse') return;
  await rig.disconnect();
  await setTimeout(pause);
  reportingNodes.push((await rig.connect('reporting-versions')).milliseconds);
}

function timeRows(
  { server, newNodes, reportingNodes }: Measurement,
  floor: Measurement,
  targets: number,
): readonly Row[] {
  const row = (sort: string, times: readonly number[]): Row => ({
    name: `${server}, ${targets.toLocaleString('en')} targets, ${sort}`,
    figures: { 'all answered, ms': median(times), '× floor': median(times) / median(floor.newNodes) },
  });
  const reporting = reportingNodes.length > 0 ? [row('nodes that report all versions', reportingNodes)] : [];
  return [row('new nodes', newNodes), ...reporting];
}

function memoryRow({ server, idle, connected }: Measurement, floor: Measurement, targets: number): Row {
  const perNode = (after: number, before: number): number => (after - before) / nodes / 1024;
  const resident = perNode(connected.resident, idle.resident);
  return {
    name: `${server}, ${targets.toLocaleString('en')} targets`,
    figures: {
      'resident, KiB': resident,
      '× floor': resident / perNode(floor.connected.resident, floor.idle.resident),
      'of that JS heap, KiB': perNode(connected.heap, idle.heap),
    },
  };
}
