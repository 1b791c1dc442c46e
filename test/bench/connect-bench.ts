import { setTimeout } from 'node:timers/promises';
import type { Bench, BenchResult, Row } from './model.ts';
import type { FromServer } from './nodes/messages.ts';
import { type Rig, startRig } from './nodes/rig.ts';
import { type SubjectName, subjectNames } from './servers/server-names.ts';
import { median } from './statistics.ts';

/**
 * A thousand nodes that connect at the same moment: how long it takes until each has its first answer, what a node
 * costs in memory afterwards, and what it takes when they come back and say what they hold.
 */
export const connectBench: Bench = { name: 'connect', run: benchConnect };

const nodes = 1000;
const sizes: readonly number[] = [10, 1000, 10_000];
const rounds = 9;
/** Milliseconds before a storm, in which as many new streams as it has may be admitted again (2,000 a second). */
const pause = 500;

type Weight = Pick<Extract<FromServer, { kind: 'weighed' }>, 'resident' | 'heap'>;

interface Measured {
  readonly subject: SubjectName;
  readonly rig: Rig;
  readonly idle: Weight;
  readonly connected: Weight;
  /** Milliseconds until all have their first answer, for each round: new nodes, and nodes that know everything. */
  readonly fresh: number[];
  readonly knowing: number[];
}

async function benchConnect(progress: (what: string) => void): Promise<BenchResult> {
  const storms: Row[] = [];
  const weights: Row[] = [];
  for (const targets of sizes) {
    const all: Measured[] = [];
    try {
      for (const subject of subjectNames) {
        progress(`${subject}, ${nodes} nodes, ${targets} targets`);
        all.push(await begin(subject, targets));
      }
      for (let round = 0; round < rounds; round += 1) {
        progress(`round ${round + 1} of ${rounds}`);
        for (const one of all) await storm(one);
      }
    } finally {
      for (const { rig } of all) rig.stop();
    }
    const floor = all[0];
    if (floor === undefined) break;
    storms.push(...all.flatMap((one) => stormsOf(one, floor, targets)));
    weights.push(...all.map((one) => weightOf(one, floor, targets)));
  }
  return {
    broken: [],
    tables: [
      { title: `connect: ${nodes} nodes at once`, rows: storms },
      {
        title: 'connect: memory per connected node, every first answer acknowledged, after a collection',
        rows: weights,
      },
    ],
  };
}

async function begin(subject: SubjectName, targets: number): Promise<Measured> {
  const rig = await startRig(
    { nodes },
    new URL('./servers/server-process.ts', import.meta.url),
    subject,
    String(targets),
  );
  const idle = await rig.server.ask({ kind: 'weigh', acks: 0 }, 'weighed');
  await rig.connect();
  const connected = await rig.server.ask({ kind: 'weigh', acks: nodes }, 'weighed');
  return { subject, rig, idle, connected, fresh: [], knowing: [] };
}

/** The two others know nothing of versions: what nodes report means nothing to them. */
async function storm({ subject, rig, fresh, knowing }: Measured): Promise<void> {
  await rig.disconnect();
  await setTimeout(pause);
  fresh.push((await rig.connect()).milliseconds);
  if (subject !== 'gatehouse') return;
  await rig.disconnect();
  await setTimeout(pause);
  knowing.push((await rig.connect('knowing')).milliseconds);
}

function stormsOf({ subject, fresh, knowing }: Measured, floor: Measured, targets: number): readonly Row[] {
  const row = (what: string, times: readonly number[]): Row => ({
    name: `${subject}, ${targets.toLocaleString('en')} targets, ${what}`,
    figures: { 'all answered, ms': median(times), '× floor': median(times) / median(floor.fresh) },
  });
  return [row('new nodes', fresh), ...(knowing.length > 0 ? [row('nodes that report all versions', knowing)] : [])];
}

function weightOf({ subject, idle, connected }: Measured, floor: Measured, targets: number): Row {
  const perNode = (after: number, before: number): number => (after - before) / nodes / 1024;
  const resident = perNode(connected.resident, idle.resident);
  return {
    name: `${subject}, ${targets.toLocaleString('en')} targets`,
    figures: {
      'resident, KiB': resident,
      '× floor': resident / perNode(floor.connected.resident, floor.idle.resident),
      'of that JS heap, KiB': perNode(connected.heap, idle.heap),
    },
  };
}
