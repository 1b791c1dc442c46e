import type { ChannelCredentials } from '@grpc/grpc-js';
import { onTestFinished } from 'vitest';
import type { Random } from '../../../src/edges.ts';
import {
  type AdsServer,
  type AdsServerOptions,
  type AdsServerParts,
  createAdsServer,
} from '../../../src/serve/serve.ts';
import type { ResourceType } from '../../../src/snapshot/model.ts';
import type { SnapshotStore } from '../../../src/snapshot/snapshot.ts';
import { createManualClock, type ManualClock } from '../edges/manual-clock.ts';
import { createRecordedCounters, type RecordedCounters } from '../edges/recorded-counters.ts';
import { createRecordedLog, type RecordedLog } from '../edges/recorded-log.ts';
import {
  type AdsClient,
  type AdsRequestFields,
  type AdsResponse,
  type AdsStream,
  createAdsClient,
  type StreamOptions,
} from '../nodes/ads-client.ts';
import { createHandMadeWorld, targetType, type WorldEdit } from './hand-made-world.ts';

/** The real snapshot store and ADS server over resources that a test sets by hand. */
export interface ServedWorld {
  readonly server: AdsServer;
  readonly snapshots: SnapshotStore;
  readonly clock: ManualClock;
  readonly counters: RecordedCounters;
  readonly log: RecordedLog;
  readonly address: string;
  ready: boolean;
  commit(edit: (world: WorldEdit) => void): void;
  /** Commits targets of these names. */
  put(...names: string[]): void;
  /** Commits a new port of a target. */
  change(name: string, port: number): void;
  drop(name: string): void;
  /** A new connection, by default in plaintext. */
  client(channel?: ChannelCredentials): AdsClient;
  /** A new connection with one stream. */
  stream(options?: StreamOptions, channel?: ChannelCredentials): AdsStream;
  /** A stream whose first request, for targets, was answered; the server has processed the ACK. */
  following(fields?: AdsRequestFields, channel?: ChannelCredentials): Promise<AdsStream>;
  close(): Promise<void>;
}

/** A server in plaintext that asks nobody, and whose updates nobody observes. */
export const unsecured: Pick<AdsServerParts, 'tls' | 'auth' | 'updates'> = {
  tls: undefined,
  auth: undefined,
  updates: undefined,
};

type ServedEdges = Pick<ServedWorld, 'clock' | 'counters' | 'log'>;

/** @param registration overrides of the target type's registration */
export async function createServedWorld(
  options: AdsServerOptions = {},
  registration: Partial<ResourceType> = {},
  random: Random = () => 0.5,
  security: (edges: ServedEdges) => Promise<Pick<AdsServerParts, 'tls' | 'auth'>> = async () => unsecured,
): Promise<ServedWorld> {
  const { snapshots, commit } = createHandMadeWorld(registration);
  const clock = createManualClock();
  const counters = createRecordedCounters();
  const log = createRecordedLog();
  const clients: AdsClient[] = [];
  const server = createAdsServer(options, {
    snapshots,
    ready: () => world.ready,
    clusterDomain: 'cluster.local',
    clock,
    random,
    log,
    counters,
    updates: undefined,
    ...(await security({ clock, counters, log })),
  });
  const { host, port } = await server.start({ host: '127.0.0.1', port: 0 });
  const world: ServedWorld = {
    server,
    snapshots,
    clock,
    counters,
    log,
    address: `${host}:${port}`,
    ready: true,
    commit,
    put: (...names) =>
      commit((edit) => {
        for (const name of names) edit.target(name);
      }),
    change: (name, port) => commit((edit) => edit.target(name, port)),
    drop: (name) => commit((edit) => edit.noTarget(name)),
    client(channel) {
      const client = createAdsClient(this.address, channel);
      clients.push(client);
      return client;
    },
    stream(streamOptions, channel) {
      return this.client(channel).open(streamOptions);
    },
    async following(fields, channel) {
      const stream = this.stream({}, channel).request(targetType, { node: gatewayNode, ...fields });
      await stream.accept();
      await stream.silence();
      return stream;
    },
    async close() {
      for (const client of clients) client.close();
      const stopped = server.stop(0);
      clock.advance(0);
      await stopped;
    },
  };
  return world;
}

/** Creates a served world with the Gateway {@link gateway}, and closes it when the test has finished. */
export async function startServedWorld(...parameters: Parameters<typeof createServedWorld>): Promise<ServedWorld> {
  const world = await createServedWorld(...parameters);
  onTestFinished(() => world.close());
  world.commit((edit) => edit.gateway(gateway));
  return world;
}

/** The Gateway of most tests. */
export const gateway = 'default/gw';

/** The names of a response's resources and removed resources, sorted. */
export function deltaOf({ names, removed }: AdsResponse): object {
  return { names: [...names].sort(), removed: [...removed].sort() };
}

/** The expected result of {@link deltaOf}. */
export function delta(names: readonly string[], removed: readonly string[] = []): object {
  return { names, removed };
}

/** The node that the deployed binaries send for this Gateway. */
export function nodeOf(gateway: string): { readonly id: string; readonly metadata: Readonly<Record<string, unknown>> } {
  const [namespace, name] = gateway.split('/');
  return {
    id: `mcpgw~10.0.0.1~pod.${namespace}~${namespace}.svc.cluster.local`,
    metadata: { NAMESPACE: namespace, role: `mcp-kgateway-kube-gateway-api~${namespace}~${name}` },
  };
}

export const gatewayNode: ReturnType<typeof nodeOf> = nodeOf(gateway);
