import { createServer, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { Server, ServerCredentials, type ServerDuplexStream } from '@grpc/grpc-js';
import { createMetrics } from '../../../src/debug/debug.ts';
import { AggregatedDiscoveryServiceService as ads } from '../../../src/gen/envoy/service/discovery/v3/ads.ts';
import { DeltaDiscoveryResponse } from '../../../src/gen/envoy/service/discovery/v3/discovery.ts';
import { createLog } from '../../../src/log/log.ts';
import { createAdsServer } from '../../../src/serve/serve.ts';
import type { EncodedResource, View } from '../../../src/snapshot/model.ts';
import { systemClock } from '../../support/edges/system-clock.ts';
import { createHandMadeWorld, type HandMadeWorld, targetType } from '../../support/worlds/hand-made-world.ts';
import { Acks, countingAcks } from './ack-counter.ts';
import type { SubjectName } from './server-names.ts';

/** Something that tells a fleet of one change, and hears when each node has it. */
interface Subject {
  readonly port: number;
  readonly acks: Acks;
  /** Makes a change and pushes it. */
  change(): void;
}

/**
 * The server that is measured, and two that know nothing of subscriptions, nonces or snapshots: they send bytes that
 * were put together beforehand to whoever is connected. `node:http2` is the floor of this platform, `grpc-js` that of
 * its gRPC.
 */
export async function startSubject(name: SubjectName, targets: number): Promise<Subject> {
  const world = createHandMadeWorld();
  world.commit((edit) => {
    edit.gateway('default/gw');
    for (let index = 0; index < targets; index += 1) edit.target(`ns-${index % 10}/tool-${index}`);
  });
  let changes = 0;
  const change = (): void => {
    changes += 1;
    world.commit((edit) => edit.target('ns-0/tool-0', 1000 + changes));
  };
  switch (name) {
    case 'gatehouse':
      return startGatehouse(world, change);
    case 'grpc-js':
      return startGrpc(createBytes(world, change));
    case 'node:http2':
      return startHttp2(createBytes(world, change));
  }
}

/** With the metrics and the log that it has in production: they are part of what a push costs. */
async function startGatehouse({ snapshots }: HandMadeWorld, change: () => void): Promise<Subject> {
  const acks = new Acks();
  const server = createAdsServer(
    {},
    {
      snapshots,
      ready: () => true,
      clusterDomain: 'cluster.local',
      clock: systemClock,
      random: Math.random,
      log: createLog('info', 'json', false, false),
      counters: countingAcks(createMetrics(), acks),
    },
  );
  const { port } = await server.start({ host: '127.0.0.1', port: 0 });
  return { port, change, acks };
}

/** The responses of a server that has nothing to decide. */
interface Bytes {
  /** What a new node is told. */
  readonly first: Buffer;
  /** Makes a change; answers what everybody is told of it. */
  change(): Buffer;
}

function createBytes({ snapshots }: HandMadeWorld, change: () => void): Bytes {
  const current = (): View => {
    const view = snapshots.of('default/gw').views.get(targetType);
    if (view === undefined) throw new Error('no view of targets');
    return view;
  };
  const field = (fields: Parameters<typeof DeltaDiscoveryResponse.fromPartial>[0]): Uint8Array =>
    DeltaDiscoveryResponse.encode(DeltaDiscoveryResponse.fromPartial(fields)).finish();
  let nonce = 0;
  const response = (resources: Iterable<EncodedResource>): Buffer => {
    nonce += 1;
    const fields = Array.from(resources, ({ deltaField }) => deltaField);
    return Buffer.concat([...fields, field({ typeUrl: targetType }), field({ nonce: String(nonce) })]);
  };
  return {
    first: response(current().resources()),
    change() {
      const before = current();
      change();
      return response(snapshots.difference(before, current()).changed);
    },
  };
}

function startHttp2(bytes: Bytes): Promise<Subject> {
  const server = createServer();
  const streams = new Set<ServerHttp2Stream>();
  const acks = new Acks();
  const first = framed(bytes.first);
  server.on('stream', (stream) => {
    streams.add(stream);
    let asked = false;
    stream.respond({ ':status': 200, 'content-type': 'application/grpc+proto' });
    stream.on('data', () => {
      // One small request is one frame here: the fleet answers one response at a time.
      if (asked) acks.add();
      else stream.write(first);
      asked = true;
    });
    stream.on('error', () => {});
  });
  const push = (): void => {
    const frame = framed(bytes.change());
    for (const stream of streams) stream.write(frame);
  };
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      resolve({ port, change: push, acks });
    });
  });
}

function startGrpc(bytes: Bytes): Promise<Subject> {
  const server = new Server({ 'grpc.enable_channelz': 0 });
  const calls = new Set<ServerDuplexStream<Buffer, Buffer>>();
  const acks = new Acks();
  const accept = (call: ServerDuplexStream<Buffer, Buffer>): void => {
    calls.add(call);
    let asked = false;
    call.on('data', () => {
      if (asked) acks.add();
      else call.write(bytes.first);
      asked = true;
    });
  };
  const same = (message: Buffer): Buffer => message;
  server.register(ads.deltaAggregatedResources.path, accept, same, same, 'bidi');
  const push = (): void => {
    const response = bytes.change();
    for (const call of calls) call.write(response);
  };
  return new Promise((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) => {
      if (error === null) resolve({ port, change: push, acks });
      else reject(error);
    });
  });
}

function framed(message: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}
