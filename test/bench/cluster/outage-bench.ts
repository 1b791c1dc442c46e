import { setTimeout } from 'node:timers/promises';
import { kubeAssets } from '../../support/cluster/kube-apiserver.ts';
import { type ClusterRequests, createClusterRequests } from '../../support/cluster/requests.ts';
import { type ClusterWorld, startClusterWorld } from '../../support/cluster/world.ts';
import { createAdsClient } from '../../support/nodes/ads-client.ts';
import { type GatehouseProcess, gatehouse } from '../../support/processes/gatehouse-process.ts';
import { listens } from '../../support/processes/guide-programs.ts';
import { configType } from '../../support/worlds/hand-made-world.ts';
import { openGateway, policy } from '../../support/worlds/manifests.ts';
import { nodeOf } from '../../support/worlds/served-world.ts';
import type { Bench, BenchResult, BenchSelection, Row } from '../model.ts';
import { quantile } from '../statistics.ts';

/**
 * Kills the API server and starts it again, and times how soon every kind is followed after the first request of
 * `gatehouse serve` that succeeds, and how soon the deletion of a policy, made as early as the server carries it out, is
 * at a node.
 */
export const outageBench: Bench = { name: 'outage', run: benchOutages };

const defaultRounds = 100;

/** The longest time that the server stays away, in milliseconds, besides its start. Each round takes another part. */
const longestOutage = 12_000;

/** Interval between two reads of the metrics, in milliseconds: the accuracy of the figures. */
const interval = 10;

const kinds = 6;
const policies = '/apis/gateway.kgateway.dev/v1alpha1/namespaces/default/mcpauthpolicies';

/** One restart; times in milliseconds of `performance.now()`. */
interface Restart {
  /** The first 2xx response that the program received. */
  readonly answered: number;
  /** Every kind was listed or is watched again. */
  readonly followed: number;
  /** The server carried out the deletion. */
  readonly deleted: number;
  /** The node was told of it. */
  readonly arrived: number;
}

async function benchOutages(
  progress: (line: string) => void,
  { rounds = defaultRounds }: BenchSelection,
): Promise<BenchResult> {
  if (kubeAssets() === undefined) return { tables: [], broken: [] };
  await using world = await startClusterWorld();
  await world.apply(openGateway);
  await using program = gatehouse(['serve', `--kubeconfig=${await world.kubeconfig()}`, ...listens()]);
  await program.line('synced: everything');
  const restarts: Restart[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const restart = await restartOnce(world, program, (longestOutage * (round % 10)) / 10);
    restarts.push(restart);
    const { answered, followed, deleted, arrived } = restart;
    const times = [followed - answered, arrived - Math.max(answered, deleted)].map(Math.round);
    progress(`restart ${round + 1} of ${rounds}: all kinds after ${times[0]} ms, the deletion after ${times[1]} ms`);
  }
  return {
    broken: [],
    tables: [
      {
        title: 'outage: restarts of the API server, in milliseconds',
        rows: [
          rowOf(
            'first success to all kinds followed',
            restarts.map(({ answered, followed }) => followed - answered),
          ),
          rowOf(
            'deletion to node',
            restarts.map(({ answered, deleted, arrived }) => arrived - Math.max(answered, deleted)),
          ),
        ],
      },
    ],
  };
}

function rowOf(name: string, times: readonly number[]): Row {
  return {
    name,
    figures: {
      restarts: times.length,
      'within 1 s': times.filter((time) => time <= 1_000).length,
      p50: quantile(times, 0.5),
      p90: quantile(times, 0.9),
      p99: quantile(times, 0.99),
      max: Math.max(...times),
    },
  };
}

async function restartOnce(world: ClusterWorld, program: GatehouseProcess, outage: number): Promise<Restart> {
  await world.apply(policy('default/doomed', 'gw'));
  const node = createAdsClient(await program.listening('xds'));
  const stream = node.open().request(configType, { node: nodeOf('default/gw') });
  while (!(await stream.accept()).names.includes('default.doomed'));
  const arrives = (async () => {
    while (!(await stream.accept()).removed.includes('default.doomed'));
    return performance.now();
  })();
  const { api } = world;
  await api.kill9ApiServer();
  const follows = timeFollowing(await program.listening('metrics'));
  await setTimeout(outage);
  const requests = createClusterRequests(api.url, api.ca);
  const restarted = api.restartApiServer();
  const deleted = await deletePolicy(requests, api.token());
  const [times, arrived] = await Promise.all([follows, arrives, restarted]);
  node.close();
  await requests.close();
  return { ...times, deleted, arrived };
}

/** Tries until the server carries it out; returns the time of its response. */
async function deletePolicy(requests: ClusterRequests, token: string): Promise<number> {
  for (;;) {
    try {
      const { status } = await requests.send(`${policies}/doomed`, { method: 'DELETE', token });
      if (status === 200) return performance.now();
    } catch {
      // It is not there yet.
    }
    await setTimeout(interval);
  }
}

/** Times the first success after now, and when each kind was listed or is watched. */
async function timeFollowing(metrics: string): Promise<Pick<Restart, 'answered' | 'followed'>> {
  const read = async (): Promise<Readings> => readingsOf(await (await fetch(`http://${metrics}/metrics`)).text());
  const before = await read();
  let answered: number | undefined;
  for (;;) {
    const now = await read();
    if (now.successes > before.successes) answered ??= performance.now();
    const followed = [...now.kinds].filter(([kind, count]) => count > (before.kinds.get(kind) ?? 0)).length;
    if (answered !== undefined && followed === kinds) return { answered, followed: performance.now() };
    await setTimeout(interval);
  }
}

interface Readings {
  readonly successes: number;
  /** Lists and watches, by kind. */
  readonly kinds: ReadonlyMap<string, number>;
}

function readingsOf(text: string): Readings {
  let successes = 0;
  const byKind = new Map<string, number>();
  for (const line of text.split('\n')) {
    const [, name, label = '', value] = /^(\w+)\{\w+="([^"]*)"\} (\S+)$/.exec(line) ?? [];
    if (name === 'gatehouse_kube_requests_total' && /^2/.test(label)) successes += Number(value);
    if (name === 'gatehouse_source_watches_total' || name === 'gatehouse_source_lists_total') {
      byKind.set(label, (byKind.get(label) ?? 0) + Number(value));
    }
  }
  return { successes, kinds: byKind };
}
