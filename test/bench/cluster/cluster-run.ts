import { Target } from '../../../src/gen/mcp/kgateway/dev/target/v1alpha1/target.ts';
import { createAdsClient } from '../../support/nodes/ads-client.ts';
import { gatehouse } from '../../support/processes/gatehouse-process.ts';
import { listens } from '../../support/processes/guide-programs.ts';
import { targetType } from '../../support/worlds/hand-made-world.ts';
import { nodeOf } from '../../support/worlds/served-world.ts';

/** A process of `gatehouse serve` on a cluster, and one node of the Gateway `default/gw`. */
export interface ClusterRun extends AsyncDisposable {
  /** Milliseconds from its first request to the API server to readiness. */
  readonly ready: number;
  gauge(name: string): Promise<number>;
  /** Counters since its start; `cpu` in seconds of the whole process. */
  counts(): Promise<Readonly<Record<'cpu' | 'encodes' | 'responses', number>>>;
  /** Resolves when the node receives the target with this port; returns `performance.now()` of that moment. */
  arrives(target: string, port: number): Promise<number>;
}

/** Resolves when the program is ready and its node has its first response. */
export async function startClusterRun(kubeconfig: string, ...flags: readonly string[]): Promise<ClusterRun> {
  const program = gatehouse([
    'serve',
    `--kubeconfig=${kubeconfig}`,
    '--lease-namespace=default',
    ...listens(),
    ...flags,
  ]);
  const synced = await program.line('synced: everything');
  const begun = await program.line('watching the cluster');
  const client = createAdsClient(await program.listening('xds'));
  const metrics = await program.listening('metrics');
  const text = async (): Promise<string> => (await fetch(`http://${metrics}/metrics`)).text();

  const stream = client.open().request(targetType, { node: nodeOf('default/gw') });
  await stream.accept();
  return {
    ready: timeOf(synced) - timeOf(begun),
    gauge: async (name) => sum(await text(), name),
    counts: async () => {
      const all = await text();
      return {
        cpu: sum(all, 'process_cpu_seconds_total'),
        encodes: sum(all, 'gatehouse_wire_encodes_total'),
        responses: sum(all, 'gatehouse_xds_responses_total'),
      };
    },
    arrives: async (target, port) => {
      for (;;) {
        const { names, messages } = await stream.accept();
        const bytes = messages[names.indexOf(target)];
        if (bytes !== undefined && Target.decode(bytes).port === port) return performance.now();
      }
    },
    [Symbol.asyncDispose]: async () => {
      client.close();
      await program[Symbol.asyncDispose]();
    },
  };
}

function timeOf(line: string): number {
  const { timestamp }: { timestamp: string } = JSON.parse(line);
  return Date.parse(timestamp);
}

/** Sums a metric over all labels. */
function sum(text: string, name: string): number {
  const lines = text.split('\n').filter((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`));
  return lines.reduce((total, line) => total + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}
