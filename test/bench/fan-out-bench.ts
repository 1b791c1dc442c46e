import type { Bench, BenchResult, Row, Table } from './model.ts';
import type { Rig } from './nodes/rig.ts';
import type { ChangeKind } from './servers/bench-world.ts';
import { firstResponses, type ServerName, serverNames, startServerRig } from './servers/server-rig.ts';
import { median } from './statistics.ts';

/** Cost of pushing one change to a thousand connected nodes of either dialect, compared with the baselines. */
export const fanOutBench: Bench = { name: 'fan-out', run: benchFanOut };

const nodes = 1000;
const sizes: readonly number[] = [10, 1000, 10_000];
const warmUps = 10;

interface Measurement {
  readonly server: ServerName;
  readonly rig: Rig;
  /** Size of the first response. */
  readonly bytes: number;
  /** KiB of resident memory of each connected node, after a full collection. */
  readonly memory: number;
  /** Microseconds of CPU per node, of each round. */
  readonly cpu: number[];
  /** Milliseconds to the last ACK, of each round. */
  readonly milliseconds: number[];
}

/**
 * What changes. A Service that appears changes the list of all targets, so that its message has the size of the list:
 * fewer rounds measure it.
 */
const changes: readonly { readonly change: ChangeKind; readonly title: string; readonly rounds: Rounds }[] = [
  { change: 'target', title: 'one changed target', rounds: { warmUps, measured: 21 } },
  { change: 'address', title: 'agentgateway: one changed address', rounds: { warmUps, measured: 21 } },
  { change: 'policy', title: 'agentgateway: one changed policy', rounds: { warmUps, measured: 21 } },
  { change: 'service', title: 'agentgateway: a Service that comes or goes', rounds: { warmUps: 2, measured: 5 } },
];

interface Rounds {
  readonly warmUps: number;
  readonly measured: number;
}

async function benchFanOut(progress: (line: string) => void): Promise<BenchResult> {
  const broken: string[] = [];
  const tables: Table[] = [];
  for (const { change, title, rounds } of changes) {
    const rows: Row[] = [];
    for (const targets of sizes) {
      progress(`${title}: ${nodes} nodes, ${targets} targets`);
      rows.push(...(await benchSize(change, targets, rounds, broken)));
    }
    tables.push({ title: `fan-out: ${title} for ${nodes} nodes`, rows });
  }
  return { broken, tables };
}

async function benchSize(
  change: ChangeKind,
  targets: number,
  { warmUps, measured }: Rounds,
  broken: string[],
): Promise<readonly Row[]> {
  const all: Measurement[] = [];
  try {
    for (const server of serverNames) {
      all.push(await startMeasurement(server, change, targets));
    }
    // The servers alternate round by round, so that other load on the machine affects all of them.
    for (let round = 0; round < warmUps + measured; round += 1) {
      for (const one of all) await measureRound(one, round >= warmUps);
    }
    const rows: Row[] = [];
    for (const one of all) rows.push(await rowOf(one, { targets, rounds: warmUps + measured }, all[0] ?? one, broken));
    return rows;
  } finally {
    for (const { rig } of all) rig.stop();
  }
}

async function startMeasurement(server: ServerName, change: ChangeKind, targets: number): Promise<Measurement> {
  const rig = await startServerRig(server, { nodes, targets, change });
  const memoryAfter = async (acks: number): Promise<number> =>
    (await rig.server.request({ kind: 'measure-memory', acks }, 'memory')).resident;
  const idle = await memoryAfter(0);
  const { bytes } = await rig.connect();
  const connected = await memoryAfter(nodes * firstResponses(server, change));
  return { server, rig, bytes, memory: (connected - idle) / nodes / 1024, cpu: [], milliseconds: [] };
}

async function measureRound({ rig, cpu, milliseconds }: Measurement, counts: boolean): Promise<void> {
  const pushed = await rig.push();
  if (!counts) return;
  cpu.push(pushed.cpu / nodes);
  milliseconds.push(pushed.milliseconds);
}

async function rowOf(
  measured: Measurement,
  { targets, rounds }: { readonly targets: number; readonly rounds: number },
  floor: Measurement,
  broken: string[],
): Promise<Row> {
  const { server, rig, bytes, memory, cpu, milliseconds } = measured;
  const name = `${server}, ${targets.toLocaleString('en')} targets`;
  const messages = (await rig.received()) / rounds;
  if (messages !== nodes) broken.push(`${name}: ${messages} messages per change for ${nodes} nodes`);
  return {
    name,
    figures: {
      'first answer, bytes': bytes,
      messages,
      'CPU, µs per node': median(cpu),
      '× floor': median(cpu) / median(floor.cpu),
      'last ACK, ms': median(milliseconds),
      '× floor ': median(milliseconds) / median(floor.milliseconds),
      'memory, KiB per node': memory,
    },
  };
}
