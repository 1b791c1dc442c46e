import type { Bench, BenchResult, Row } from './model.ts';
import { type Rig, startRig } from './nodes/rig.ts';
import { type SubjectName, subjectNames } from './servers/server-names.ts';
import { median } from './statistics.ts';

/** What it costs to tell a thousand connected nodes of one changed target, beside servers that only copy bytes. */
export const fanOutBench: Bench = { name: 'fan-out', run: benchFanOut };

const nodes = 1000;
const sizes: readonly number[] = [10, 1000, 10_000];
const warmUps = 10;
const rounds = 21;

/** Of one subject: microseconds of CPU per node, and milliseconds to the last answer, for each round that counts. */
interface Measured {
  readonly subject: SubjectName;
  readonly rig: Rig;
  readonly bytes: number;
  readonly cpu: number[];
  readonly milliseconds: number[];
}

async function benchFanOut(progress: (what: string) => void): Promise<BenchResult> {
  const rows: Row[] = [];
  const broken: string[] = [];
  for (const targets of sizes) {
    progress(`${nodes} nodes, ${targets} targets`);
    const all: Measured[] = [];
    try {
      for (const subject of subjectNames) {
        const rig = await startRig(
          { nodes },
          new URL('./servers/server-process.ts', import.meta.url),
          subject,
          String(targets),
        );
        const { bytes } = await rig.connect();
        all.push({ subject, rig, bytes, cpu: [], milliseconds: [] });
      }
      // In turns: whatever else the machine does hits all of them alike.
      for (let round = 0; round < warmUps + rounds; round += 1) {
        for (const one of all) await measure(one, round >= warmUps);
      }
      for (const one of all) rows.push(await rowOf(one, targets, all[0] ?? one, broken));
    } finally {
      for (const { rig } of all) rig.stop();
    }
  }
  return { broken, tables: [{ title: `fan-out: one changed target for ${nodes} nodes`, rows }] };
}

async function measure({ rig, cpu, milliseconds }: Measured, counts: boolean): Promise<void> {
  const pushed = await rig.push();
  if (!counts) return;
  cpu.push(pushed.cpu / nodes);
  milliseconds.push(pushed.milliseconds);
}

async function rowOf(measured: Measured, targets: number, floor: Measured, broken: string[]): Promise<Row> {
  const { subject, rig, bytes, cpu, milliseconds } = measured;
  const name = `${subject}, ${targets.toLocaleString('en')} targets`;
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
