import { setTimeout } from 'node:timers/promises';
import { kinds } from '../../../src/resources/resources.ts';
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

const policies = '/apis/gateway.kgateway.dev/v1alpha1/namespaces/default/mcpauthpolicies';

/** One restart; times in milliseconds of `performance.now()`. */
interface Restart {
  /** The first 2xx response that the program received. */
  readonly answered: number;
  /** Each kind was listed or is watched again, by name. */
  readonly followed: ReadonlyMap<string, number>;
  /** The server answered a request for the kind that it serves from its cache, as it does a watch. */
  readonly served: ReadonlyMap<string, number>;
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
    const [all, own, deletion] = [sinceAnswered(restart), sinceServed(restart), untilArrived(restart)].map(Math.round);
    progress(
      `restart ${round + 1} of ${rounds}: all kinds after ${all} ms, each ${own} ms after the server served it, the deletion after ${deletion} ms`,
    );
  }
  return {
    broken: [],
    tables: [
      {
        title: 'outage: restarts of the API server, in milliseconds; aim: every kind within 1 s of the first answer',
        rows: [
          rowOf('first success to all kinds followed', restarts.map(sinceAnswered)),
          rowOf('the same, once the server served the kind', restarts.map(sinceServed)),
          rowOf('deletion to node', restarts.map(untilArrived)),
        ],
      },
    ],
  };
}

function sinceAnswered({ answered, followed }: Restart): number {
  return Math.max(...followed.values()) - answered;
}

/** The slowest kind, from the time when a request for it could succeed. */
function sinceServed({ answered, followed, served }: Restart): number {
  return Math.max(...[...followed].map(([kind, at]) => at - Math.max(answered, served.get(kind) ?? 0)));
}

function untilArrived({ answered, deleted, arrived }: Restart): number {
  return arrived - Math.max(answered, deleted);
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
  const serves = timeServing(requests, api.token());
  const deleted = await deletePolicy(requests, api.token());
  const [times, arrived, served] = await Promise.all([follows, arrives, serves, restarted]);
  node.close();
  await requests.close();
  return { ...times, served, deleted, arrived };
}

/** Asks for every kind until its cache answers. */
async function timeServing(requests: ClusterRequests, token: string): Promise<ReadonlyMap<string, number>> {
  const times = Object.values(kinds).map(async ({ kind, apiVersion, plural }) => {
    const path = `${apiVersion.includes('/') ? '/apis' : '/api'}/${apiVersion}/${plural}?resourceVersion=0&limit=1`;
    await untilStatus200(() => requests.send(path, { token }));
    return [kind, performance.now()] as const;
  });
  return new Map(await Promise.all(times));
}

/** Tries until the server carries it out; returns the time of its response. */
async function deletePolicy(requests: ClusterRequests, token: string): Promise<number> {
  await untilStatus200(() => requests.send(`${policies}/doomed`, { method: 'DELETE', token }));
  return performance.now();
}

async function untilStatus200(send: () => Promise<{ readonly status: number }>): Promise<void> {
  for (;;) {
    try {
      if ((await send()).status === 200) return;
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
  const followed = new Map<string, number>();
  let answered: number | undefined;
  for (;;) {
    const now = await read();
    if (now.successes > before.successes) answered ??= performance.now();
    for (const [kind, count] of now.kinds) {
      if (count > (before.kinds.get(kind) ?? 0) && !followed.has(kind)) followed.set(kind, performance.now());
    }
    if (answered !== undefined && followed.size === Object.keys(kinds).length) return { answered, followed };
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
