import { createServer, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { Server, ServerCredentials, type ServerDuplexStream } from '@grpc/grpc-js';
import { createMetrics } from '../../../src/debug/debug.ts';
import { AggregatedDiscoveryServiceService as ads } from '../../../src/gen/envoy/service/discovery/v3/ads.ts';
import { DeltaDiscoveryResponse } from '../../../src/gen/envoy/service/discovery/v3/discovery.ts';
import { createLog } from '../../../src/log/log.ts';
import { type AdsServerParts, createAdsServer } from '../../../src/serve/serve.ts';
import type { EncodedResource, View } from '../../../src/snapshot/model.ts';
import { agentgateway } from '../../../src/wire/wire.ts';
import { systemClock } from '../../support/edges/system-clock.ts';
import { grpcFrame } from '../../support/nodes/raw-stream.ts';
import { AckCounter, countAcks } from './ack-counter.ts';
import { type BenchWorld, type ChangeKind, createBenchWorld } from './bench-world.ts';
import type { MeasuredServer } from './measured-server.ts';
import type { ServerName } from './server-rig.ts';

/**
 * Starts gatehouse or one of two baselines. The baselines have no subscriptions, nonces or snapshots and send prebuilt
 * bytes to all connections: `node:http2` is the floor of the platform, `grpc-js` that of its gRPC library.
 */
export async function startServer(name: ServerName, targets: number, kind: ChangeKind): Promise<MeasuredServer> {
  const world = createBenchWorld(kind, targets);
  switch (name) {
    case 'gatehouse':
      return startGatehouse(world);
    case 'grpc-js':
      return startGrpc(createResponses(world));
    case 'node:http2':
      return startHttp2(createResponses(world));
  }
}

/** What its nodes have to prove, and how they connect; default: nothing, in plaintext. */
type OpenSecurity = (edges: Pick<AdsServerParts, 'clock' | 'log' | 'counters'>) => Promise<ServerSecurity>;
type ServerSecurity = Pick<AdsServerParts, 'tls' | 'auth'>;

/** Has the metrics and the log of production, because their cost is part of a push. */
export async function startGatehouse(
  { snapshots, change }: BenchWorld,
  secure: OpenSecurity = async () => ({ tls: undefined, auth: undefined }),
): Promise<MeasuredServer> {
  const acks = new AckCounter();
  const counters = countAcks(createMetrics({ lostLines: 0 }), acks);
  const edges = { clock: systemClock, log: createLog('info', 'json', false, false), counters };
  const { tls, auth } = await secure(edges);
  const server = createAdsServer(
    // Ten minutes: 2 GB of first answers may take longer than the default on a machine that others use too.
    { ackTimeout: 600_000 },
    {
      ...edges,
      tls,
      auth,
      updates: undefined,
      snapshots,
      nodeTypes: [agentgateway.addressType],
      ready: () => true,
      clusterDomain: 'cluster.local',
      random: Math.random,
    },
  );
  const { port } = await server.start({ host: '127.0.0.1', port: 0 });
  return { port, change, acks };
}

/** Prebuilt responses of the baselines. */
interface Responses {
  /** The first response to a new node. */
  readonly first: Buffer;
  /** Makes a change; returns the response to all nodes. */
  change(): Buffer;
}

function createResponses({ snapshots, typeUrl, change }: BenchWorld): Responses {
  const current = (): View => {
    const view = snapshots.of('default/gw').views.get(typeUrl);
    if (view === undefined) throw new Error(`no view of ${typeUrl}`);
    return view;
  };
  const field = (fields: Parameters<typeof DeltaDiscoveryResponse.fromPartial>[0]): Uint8Array =>
    DeltaDiscoveryResponse.encode(DeltaDiscoveryResponse.fromPartial(fields)).finish();
  let nonce = 0;
  const response = (resources: Iterable<EncodedResource>, removed: readonly string[] = []): Buffer => {
    nonce += 1;
    const fields = Array.from(resources, ({ deltaField }) => deltaField);
    return Buffer.concat([
      ...fields,
      field({ typeUrl, removedResources: [...removed] }),
      field({ nonce: String(nonce) }),
    ]);
  };
  return {
    first: response(current().resources()),
    change() {
      const before = current();
      change();
      const { changed, removed } = snapshots.diff(before, current());
      return response(changed, removed);
    },
  };
}

function startHttp2(responses: Responses): Promise<MeasuredServer> {
  const server = createServer();
  const streams = new Set<ServerHttp2Stream>();
  const acks = new AckCounter();
  const first = grpcFrame(responses.first);
  server.on('stream', (stream) => {
    streams.add(stream);
    let subscribed = false;
    stream.respond({ ':status': 200, 'content-type': 'application/grpc+proto' });
    stream.on('data', () => {
      // One DATA frame is one request: requests are small, and the fleet sends one per response.
      if (subscribed) acks.add();
      else stream.write(first);
      subscribed = true;
    });
    stream.on('error', () => {});
  });
  const push = (): void => {
    const frame = grpcFrame(responses.change());
    for (const stream of streams) stream.write(frame);
  };
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      resolve({ port, change: push, acks });
    });
  });
}

function startGrpc(responses: Responses): Promise<MeasuredServer> {
  const server = new Server({ 'grpc.enable_channelz': 0 });
  const calls = new Set<ServerDuplexStream<Buffer, Buffer>>();
  const acks = new AckCounter();
  const accept = (call: ServerDuplexStream<Buffer, Buffer>): void => {
    calls.add(call);
    let subscribed = false;
    call.on('data', () => {
      if (subscribed) acks.add();
      else call.write(responses.first);
      subscribed = true;
    });
  };
  const identity = (message: Buffer): Buffer => message;
  server.register(ads.deltaAggregatedResources.path, accept, identity, identity, 'bidi');
  const push = (): void => {
    const response = responses.change();
    for (const call of calls) call.write(response);
  };
  return new Promise((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) => {
      if (error === null) resolve({ port, change: push, acks });
      else reject(error);
    });
  });
}
