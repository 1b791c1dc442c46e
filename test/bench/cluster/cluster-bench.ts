import { setTimeout } from 'node:timers/promises';
import { kubeAssets, startKubeApiServer } from '../../support/cluster/kube-apiserver.ts';
import type { Bench, BenchResult, Row } from '../model.ts';
import { median, quantile } from '../statistics.ts';
import { type ClusterObjects, createClusterObjects } from './cluster-objects.ts';
import { type ClusterRun, startClusterRun } from './cluster-run.ts';
import { timeRawLists } from './raw-lists.ts';

/**
 * `gatehouse serve` on a real API server: time from its first request to readiness, compared with a client that only
 * lists and parses the same kinds; and time of one edit, from the PATCH to the node's response.
 */
export const clusterBench: Bench = { name: 'cluster', run: benchCluster };

const sizes: readonly { readonly services: number; readonly policies: number }[] = [
  { services: 100, policies: 50 },
  { services: 10_000, policies: 5_000 },
];
const rounds = 5;
const warmUps = 200;
const edits = 300;
/** Milliseconds between two edits, so that none is debounced together with another. */
const pause = 30;
/** Milliseconds after readiness until the start no longer affects edits. */
const settling = 3_000;

interface StartMeasurement {
  /** Milliseconds of the raw lists. */
  readonly raw: number;
  /** Milliseconds to readiness. */
  readonly ready: number;
  /** Bytes, at readiness. */
  readonly resident: number;
}

async function benchCluster(progress: (line: string) => void): Promise<BenchResult> {
  if (kubeAssets() === undefined) return { tables: [], broken: [] };
  const starts: Row[] = [];
  const changes: Row[] = [];
  const broken: string[] = [];
  for (const { services, policies } of sizes) {
    progress(`an API server with ${services} Services and ${policies} policies`);
    await using api = await startKubeApiServer();
    await api.installGatewayApi('v1.6.1');
    await api.installOwnCrds();
    const objects = await createClusterObjects(api, services, policies);
    const measured: StartMeasurement[] = [];
    for (let round = 0; round < rounds; round += 1) {
      progress(`start ${round + 1} of ${rounds}`);
      const raw = await timeRawLists(api);
      await using run = await startClusterRun(api.kubeconfig());
      measured.push({ raw, ready: run.ready, resident: await run.gauge('process_resident_memory_bytes') });
    }
    starts.push(startRow(services, policies, measured));
    progress(`${edits} edits`);
    // Writing thousands of statuses takes minutes; an edit of a Service writes none.
    await using run = await startClusterRun(api.kubeconfig(), '--write-status=false');
    await setTimeout(settling);
    changes.push(await measureEdits(run, objects, services, broken));
  }
  return {
    broken,
    tables: [
      { title: 'cluster: from the first request to ready', rows: starts },
      { title: 'cluster: one Service edit, from the PATCH to the node that has it', rows: changes },
    ],
  };
}

function startRow(services: number, policies: number, measured: readonly StartMeasurement[]): Row {
  const raw = median(measured.map((one) => one.raw));
  const ready = median(measured.map((one) => one.ready));
  return {
    name: `${services.toLocaleString('en')} Services, ${policies.toLocaleString('en')} policies`,
    figures: {
      'raw lists, ms': raw,
      'ready, ms': ready,
      '× raw': ready / raw,
      'resident, MiB': median(measured.map((one) => one.resident)) / 2 ** 20,
    },
  };
}

async function measureEdits(
  run: ClusterRun,
  { edit, edited }: ClusterObjects,
  services: number,
  broken: string[],
): Promise<Row> {
  let port = 1000;
  const times: number[] = [];
  const change = async (): Promise<void> => {
    port += 1;
    const start = performance.now();
    const arrived = run.arrives(edited, port);
    await edit(port);
    times.push((await arrived) - start);
    await setTimeout(pause);
  };
  for (let at = 0; at < warmUps; at += 1) await change();
  times.length = 0;
  const before = await run.counts();
  for (let at = 0; at < edits; at += 1) await change();
  const after = await run.counts();
  const each = (name: keyof typeof after): number => (after[name] - before[name]) / edits;
  if (each('encodes') !== 1) broken.push(`one edit encoded ${each('encodes')} resources`);
  if (each('responses') !== 1) broken.push(`one edit made ${each('responses')} messages for one node`);
  return {
    name: `${services.toLocaleString('en')} Services`,
    figures: {
      'p50, ms': quantile(times, 0.5),
      'p99, ms': quantile(times, 0.99),
      'CPU, ms': each('cpu') * 1000,
      encodes: each('encodes'),
      messages: each('responses'),
    },
  };
}
