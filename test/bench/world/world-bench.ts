import { setTimeout } from 'node:timers/promises';
import type { Bench, BenchResult, Row } from '../model.ts';
import { type Rig, startRig } from '../nodes/rig.ts';
import { quantile } from '../statistics.ts';

/**
 * The whole control plane on a folder of manifests: a thousand Gateways that share ten thousand targets, one node each,
 * and the time from an edit of a file to the last ACK.
 */
export const worldBench: Bench = { name: 'world', run: benchWorld };

const gateways = 1000;
const services = 10_000;
const warmUps = 5;
const edits = 15;
const fileEdits = 150;
/** Milliseconds from one edit of a file to the next. */
const interval = 100;

async function benchWorld(progress: (line: string) => void): Promise<BenchResult> {
  const broken: string[] = [];
  progress(`${gateways} Gateways that share ${services} targets, one node each`);
  const shared = await withRig({ nodes: gateways, gateways, services }, (rig) => measureSharedTargets(rig, broken));
  progress(`${fileEdits} changes of a file, one every 100 ms, for 1,000 nodes`);
  const small = await withRig({ nodes: 1000, gateways: 1, services: 1000 }, (rig) =>
    measurePropagation(rig, '1,000 targets'),
  );
  progress('the same with 10,000 targets');
  const large = await withRig({ nodes: 1000, gateways: 1, services }, (rig) =>
    measurePropagation(rig, '10,000 targets'),
  );
  return {
    broken,
    tables: [
      { title: `world: ${gateways} Gateways, one node each, ${services} targets that all of them see`, rows: shared },
      {
        title: 'world: from a file that changes to the last ACK of 1,000 nodes, a change every 100 ms',
        rows: [small, large],
      },
    ],
  };
}

interface Size {
  readonly nodes: number;
  readonly gateways: number;
  readonly services: number;
}

async function withRig<T>({ nodes, gateways, services }: Size, measure: (rig: Rig) => Promise<T>): Promise<T> {
  const assignment = gateways === 1 ? 'one-gateway' : 'own-gateways';
  const rig = await startRig(
    { nodes, assignment },
    new URL('./server-process.ts', import.meta.url),
    String(gateways),
    String(services),
  );
  try {
    return await measure(rig);
  } finally {
    rig.stop();
  }
}

async function measureSharedTargets(rig: Rig, broken: string[]): Promise<readonly Row[]> {
  const idle = await rig.server.request({ kind: 'measure-memory', acks: 0 }, 'memory');
  const { milliseconds } = await rig.connect();
  const connected = await rig.server.request({ kind: 'measure-memory', acks: gateways }, 'memory');
  const pushes: Awaited<ReturnType<Rig['push']>>[] = [];
  for (let edit = 0; edit < warmUps + edits; edit += 1) pushes.push(await rig.push());
  const counted = pushes.slice(warmUps);
  const messages = (await rig.received()) / (warmUps + edits);
  const encodes = Math.max(...pushes.map((pushed) => pushed.encodes ?? 0));
  const assemblies = Math.max(...pushes.map((pushed) => pushed.assemblies ?? 0));
  if (messages !== gateways) broken.push(`one edit made ${messages} messages for ${gateways} nodes`);
  if (encodes !== 1) broken.push(`one edit encoded ${encodes} resources`);
  if (assemblies !== 1) broken.push(`one edit put ${assemblies} bodies together`);
  return [
    {
      name: 'memory, MiB',
      figures: {
        'without nodes': idle.resident / 2 ** 20,
        'with nodes': connected.resident / 2 ** 20,
        'JS heap': connected.heap / 2 ** 20,
      },
    },
    { name: 'all nodes connected, ms', figures: { median: milliseconds } },
    {
      name: 'one Service edit, ms from the commit to the last ACK',
      figures: {
        median: quantile(
          counted.map((one) => one.milliseconds),
          0.5,
        ),
      },
    },
    {
      name: 'one Service edit, µs of CPU per node',
      figures: {
        median: quantile(
          counted.map((one) => one.cpu / gateways),
          0.5,
        ),
      },
    },
    { name: 'one Service edit, how many', figures: { encodes, bodies: assemblies, messages } },
  ];
}

/** Edits the file at a fixed interval, unless the edit before takes longer. */
async function measurePropagation(rig: Rig, name: string): Promise<Row> {
  await rig.connect();
  const times: number[] = [];
  for (let change = 0; change < warmUps + fileEdits; change += 1) {
    const next = setTimeout(interval);
    const { milliseconds } = await rig.server.request({ kind: 'edit-file', nodes: 1000 }, 'propagated');
    if (change >= warmUps) times.push(milliseconds);
    await next;
  }
  return {
    name,
    figures: { 'p50, ms': quantile(times, 0.5), 'p99, ms': quantile(times, 0.99), 'largest, ms': Math.max(...times) },
  };
}
