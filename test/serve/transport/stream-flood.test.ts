import { once } from 'node:events';
import { type ClientHttp2Session, type ClientHttp2Stream, connect } from 'node:http2';
import type { Socket } from 'node:net';
import { setImmediate as iteration } from 'node:timers/promises';
import { status } from '@grpc/grpc-js';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { AggregatedDiscoveryServiceService as ads } from '../../../src/gen/envoy/service/discovery/v3/ads.ts';
import { HealthService } from '../../../src/gen/grpc/health/v1/health.ts';
import type { AdsStream } from '../../support/nodes/ads-client.ts';
import { anotherStream, createRawSocketNode, firstWords } from '../../support/nodes/raw-socket-node.ts';
import { targetType } from '../../support/worlds/hand-made-world.ts';
import { gatewayNode as node, type ServedWorld, startServedWorld } from '../../support/worlds/served-world.ts';

let world: ServedWorld;
let neighbour: AdsStream;

/** An address may open three further streams, and one more a second. */
beforeEach(async () => {
  world = await startServedWorld({ furtherStreamRate: 1, furtherStreamBurst: 3 });
  neighbour = await world.following();
});

const methods = {
  'ADS streams': ads.deltaAggregatedResources.path,
  'health watches': HealthService.watch.path,
  'streams of a method that does not exist': '/a/b',
};
const portOf = ({ address }: ServedWorld): number => Number(address.split(':')[1]);

function session(): ClientHttp2Session {
  const client = connect(`http://${world.address}`);
  onTestFinished(() => client.destroy());
  return client.on('error', () => {});
}

function open(
  client: ClientHttp2Session,
  path: string,
  headers: Readonly<Record<string, string>> = {},
): ClientHttp2Stream {
  const stream = client.request({ ':method': 'POST', ':path': path, 'content-type': 'application/grpc', ...headers });
  return stream.on('error', () => {}).resume();
}

async function statusOf(stream: ClientHttp2Stream): Promise<number> {
  const [headers] = await once(stream, 'response');
  return Number(headers['grpc-status']);
}

/** Settles with the error code of the GOAWAY that arrives (RFC 9113, section 6.8). */
function goawayOf(socket: Socket): Promise<number> {
  const header = Buffer.from([0, 0, 8, 7, 0, 0, 0, 0, 0]);
  let received = Buffer.alloc(0);
  return new Promise((resolve) => {
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      const at = received.indexOf(header);
      if (at !== -1 && received.length >= at + 17) resolve(received.readUInt32BE(at + 13));
    });
  });
}

function closeOf(closing: Socket | ClientHttp2Session): Promise<void> {
  return new Promise((resolve) => closing.on('close', () => resolve()));
}

/** Checks that another node of the same address is served as before. */
async function neighbourIsServed(name: string): Promise<void> {
  world.put(name);
  expect((await neighbour.accept()).names).toEqual([name]);
}

describe('G3 a connection that opens stream after stream', () => {
  it.each(Object.entries(methods))(
    'gets GOAWAY with ENHANCE_YOUR_CALM for %s, and keeps the one it has',
    async (_, path) => {
      const socket = createRawSocketNode(portOf(world), firstWords({ node, typeUrl: targetType }));
      onTestFinished(() => void socket.destroy());
      while (world.counters.level('gatehouse_xds_nodes') < 2) await iteration();
      const goaway = goawayOf(socket);
      socket.write(Buffer.concat([3, 5, 7, 9, 11].map((id) => anotherStream(id, path))));
      expect(await goaway).toBe(11);
      expect(world.counters.total('gatehouse_xds_connections_closed_total')).toBe(1);
      expect(world.counters.level('gatehouse_xds_nodes')).toBe(2);
      await neighbourIsServed('a/1');
    },
  );

  it('is logged once for all connections of a flood, and an address may go on a second later', async () => {
    for (let count = 0; count < 4; count += 1) {
      const socket = createRawSocketNode(portOf(world), firstWords({ node, typeUrl: targetType }));
      while (world.counters.level('gatehouse_xds_nodes') < 2) await iteration();
      const goaway = goawayOf(socket);
      socket.write(Buffer.concat([3, 5, 7, 9, 11].map((id) => anotherStream(id, '/a/b'))));
      expect(await goaway).toBe(11);
      socket.destroy();
      while (world.counters.level('gatehouse_xds_nodes') > 1) await iteration();
    }
    expect(world.counters.total('gatehouse_xds_connections_closed_total')).toBe(4);
    expect(world.log.lines.filter(({ message }) => message.includes('open streams without end'))).toHaveLength(1);
    world.clock.advance(1_000);
    const client = session();
    expect(await statusOf(open(client, '/a/b'))).toBe(status.UNIMPLEMENTED);
    expect(await statusOf(open(client, '/a/b'))).toBe(status.UNIMPLEMENTED);
  });
});

describe('G3 a connection whose first bytes open streams', () => {
  const words = (streams: number): Buffer =>
    Buffer.concat([
      firstWords({ node, typeUrl: targetType }),
      ...Array.from({ length: streams - 1 }, (_, index) => anotherStream(3 + 2 * index)),
    ]);

  it('beyond the rate of its address is reset before HTTP/2 begins', async () => {
    const socket = createRawSocketNode(portOf(world), words(5));
    await closeOf(socket);
    expect(socket.bytesRead).toBe(0);
    expect(world.counters.total('gatehouse_xds_connections_refused_total')).toBe(1);
    expect(world.counters.level('gatehouse_xds_streams')).toBe(1);
    await neighbourIsServed('a/1');
  });

  it('within the rate is served, and they are not charged twice', async () => {
    const socket = createRawSocketNode(portOf(world), words(4));
    onTestFinished(() => void socket.destroy());
    while (world.counters.level('gatehouse_xds_streams') < 5) await iteration();
    expect(world.counters.total('gatehouse_xds_connections_closed_total')).toBe(0);
  });
});

describe('streams that arrive at once', () => {
  it('start at most sixteen in an iteration of the event loop', async () => {
    const served = await startServedWorld();
    const client = connect(`http://${served.address}`);
    onTestFinished(() => client.destroy());
    for (let left = 90; left > 0; left -= 1) open(client, ads.deltaAggregatedResources.path);
    let most = 0;
    for (let before = 0; before < 90; ) {
      await iteration();
      const level = served.counters.level('gatehouse_xds_streams');
      most = Math.max(most, level - before);
      before = level;
    }
    expect(most).toBeGreaterThan(1);
    expect(most).toBeLessThanOrEqual(16);
  });
});

describe('a stream that is refused', () => {
  it('is closed at once, also when its client never ends it, and keeps no place', async () => {
    const served = await startServedWorld({ maxConnections: 1 });
    const client = connect(`http://${served.address}`);
    onTestFinished(() => client.destroy());
    open(client, ads.deltaAggregatedResources.path);
    while (served.counters.level('gatehouse_xds_streams') < 1) await iteration();
    for (const path of Object.values(methods)) {
      const stream = open(client, path);
      expect(await statusOf(stream)).toBe(status.RESOURCE_EXHAUSTED);
      // No time passes on the server's clock.
      await once(stream, 'close');
    }
  });

  it.each([
    ['for headers of more than 16 KiB', { 'x-filler': 'x'.repeat(17_000) }, status.RESOURCE_EXHAUSTED],
    ['for compressed requests', { 'grpc-encoding': 'gzip' }, status.UNIMPLEMENTED],
  ])('%s gets a status', async (_, headers, code) => {
    const stream = open(session(), ads.deltaAggregatedResources.path, headers);
    expect(await statusOf(stream)).toBe(code);
    await once(stream, 'close');
    expect(world.counters.level('gatehouse_xds_streams')).toBe(1);
  });
});
