import type { Bench, BenchResult, Row } from './model.ts';
import type { Rig } from './nodes/rig.ts';
import { type ServerName, serverNames, startServerRig } from './servers/server-rig.ts';
import { median } from './statistics.ts';

/** Cost of pushing one changed target to a thousand connected nodes, compared with the baselines. */
export const fanOutBench: Bench = { name: 'fan-out', run: benchFanOut };

const nodes = 1000;
const sizes: readonly number[] = [10, 1000, 10_000];
const warmUps = 10;
const rounds = 21;

interface Measurement {
  readonly server: ServerName;
  readonly rig: Rig;
  /** Size of the first response. */
  readonly bytes: number;
  /** Microseconds of CPU per node, of each round. */
  readonly cpu: number[];
  /** Milliseconds to the last ACK, of each round. */
  readonly milliseconds: number[];
}

async function benchFanOut(progress: (line: string) => void): Promise<BenchResult> {
  const rows: Row[] = [];
  const broken: string[] = [];
  for (const targets of sizes) {
    progress(`${nodes} nodes, ${targets} targets`);
    const all: Measurement[] = [];
    try {
      for (const server of serverNames) {
        const rig = await startServerRig(server, { nodes, targets });
        const { bytes } = await rig.connect();
        all.push({ server, rig, bytes, cpu: [], milliseconds: [] });
      }
      // The servers alternate round by round, so that other load on the machine affects all of them.
      for (let round = 0; round < warmUps + rounds; round += 1) {
        for (const one of all) await measureRound(one, round >= warmUps);
      }
      for (const one of all) rows.push(await rowOf(one, targets, all[0] ?? one, broken));
    } finally {
      for (const { rig } of all) rig.stop();
    }
  }
  return { broken, tables: [{ title: `fan-out: one changed target for ${nodes} nodes`, rows }] };
}

async function measureRound({ rig, cpu, milliseconds }: Measurement, counts: boolean): Promise<void> {
  const pushed = await rig.push();
  if (!counts) return;
  cpu.push(pushed.cpu / nodes);
  milliseconds.push(pushed.milliseconds);
}

async function rowOf(measured: Measurement, targets: number, floor: Measurement, broken: string[]): Promise<Row> {
  const { server, rig, bytes, cpu, milliseconds } = measured;
  const name = `${server}, ${targets.toLocaleString('en')} targets`;
  const messages = (await rig.received()) / (warmUps + rounds);
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
    },
  };
}
