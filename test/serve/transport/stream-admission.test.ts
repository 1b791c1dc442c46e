import { once } from 'node:events';
import { connect } from 'node:http2';
import { connect as connectSocket } from 'node:net';
import { setImmediate as iteration } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { AggregatedDiscoveryServiceService as ads } from '../../../src/gen/envoy/service/discovery/v3/ads.ts';
import type { AdsServerOptions } from '../../../src/serve/serve.ts';
import { anotherStream, createRawSocketNode, firstWords } from '../../support/nodes/raw-socket-node.ts';
import { targetType } from '../../support/worlds/hand-made-world.ts';
import { gatewayNode as node, type ServedWorld, startServedWorld } from '../../support/worlds/served-world.ts';

/** Fifty streams a second. */
const world = async (options: AdsServerOptions = {}): Promise<ServedWorld> => {
  const served = await startServedWorld({ maxStreamsPerSecond: 50, maxStreamsPerConnection: 1_000, ...options });
  return served;
};
const refused = ({ counters }: ServedWorld): number => counters.total('gatehouse_xds_streams_refused_total');

describe('G3 a server that admits fifty streams a second', () => {
  it('serves fifty at once and fifty more within a second, and refuses the others before a response', async () => {
    const served = await world();
    const client = served.client();
    const open = Array.from({ length: 200 }, () => client.open().request(targetType, { node }));
    for (const stream of open.slice(0, 50)) await stream.accept();
    for (const stream of open.slice(100)) {
      expect(await stream.ended()).toMatchObject({ code: 'RESOURCE_EXHAUSTED' });
      await expect(stream.next()).rejects.toThrow('RESOURCE_EXHAUSTED');
    }
    expect(refused(served)).toBe(100);
    expect(served.counters.level('gatehouse_xds_nodes')).toBe(50);
    served.clock.advance(1_000);
    for (const stream of open.slice(50, 100)) await stream.accept();
    expect(served.counters.level('gatehouse_xds_nodes')).toBe(100);
  });

  it('admits a node of another address before the rest of a flood', async () => {
    const served = await world();
    const session = connect(`http://${served.address}`, {
      createConnection: ({ hostname, port }) =>
        connectSocket({ host: hostname, port: Number(port), localAddress: '127.0.0.2' }),
    });
    onTestFinished(() => session.destroy());
    const flood = Array.from({ length: 200 }, () =>
      session.request({
        ':method': 'POST',
        ':path': ads.deltaAggregatedResources.path,
        'content-type': 'application/grpc',
      }),
    );
    for (const stream of flood) stream.on('error', () => {});
    await once(flood.at(-1) ?? session, 'response');
    expect(refused(served)).toBe(100);
    const honest = served.stream().request(targetType, { node });
    while (refused(served) < 101) await iteration();
    served.clock.advance(40);
    await honest.accept();
    expect(served.counters.level('gatehouse_xds_nodes')).toBe(1);
  });
});

describe('G3 a stream that waits for its turn', () => {
  it('forgets a stream that gives up before its turn', async () => {
    const served = await world({ maxStreamsPerSecond: 1 });
    const client = served.client();
    const first = client.open().request(targetType, { node });
    await first.accept();
    const timers = served.clock.waiting().length;
    const second = client.open().request(targetType, { node });
    while (served.clock.waiting().length === timers) await first.silence();
    second.cancel();
    while (served.clock.waiting().length > timers) await first.silence();
    served.clock.advance(1_000);
    expect(served.counters.level('gatehouse_xds_streams')).toBe(1);
  });

  it('G10 ends the streams that wait when it stops', async () => {
    const served = await world({ maxStreamsPerSecond: 1 });
    const client = served.client();
    const first = client.open().request(targetType, { node });
    await first.accept();
    await first.silence();
    const timers = served.clock.waiting().length;
    const second = client.open().request(targetType, { node });
    while (served.clock.waiting().length === timers) await first.silence();
    const stopped = served.server.stop(0);
    served.clock.advance(0);
    expect(await second.ended()).toMatchObject({ code: 'UNAVAILABLE' });
    await stopped;
    expect(served.clock.waiting()).toEqual([]);
  });
});

describe('streams that are open', () => {
  it('are at most as many as the quota; one beyond ends RESOURCE_EXHAUSTED, until another has ended', async () => {
    const world = await startServedWorld({ maxConnections: 3 });
    const client = world.client();
    const streams = [1, 2, 3].map(() => client.open().request(targetType, { node }));
    for (const stream of streams) await stream.accept();
    const one = client.open().request(targetType, { node });
    expect(await one.ended()).toMatchObject({ code: 'RESOURCE_EXHAUSTED', message: expect.stringContaining('open') });
    expect(world.counters.total('gatehouse_xds_streams_refused_total')).toBe(1);
    streams[0]?.cancel();
    while (world.counters.level('gatehouse_xds_streams') > 2) await streams[1]?.silence();
    await client.open().request(targetType, { node }).accept();
  });

  it('are on one connection at most as many as HTTP/2 MAX_CONCURRENT_STREAMS says, also for a client that ignores it', async () => {
    const world = await startServedWorld({ maxStreamsPerConnection: 2 });
    const session = connect(`http://${world.address}`);
    onTestFinished(() => session.destroy());
    const [settings] = await once(session, 'remoteSettings');
    expect(settings).toMatchObject({ maxConcurrentStreams: 2 });
    const socket = createRawSocketNode(
      Number(world.address.split(':')[1]),
      Buffer.concat([firstWords({ node, typeUrl: targetType }), anotherStream(3), anotherStream(5)]),
    );
    onTestFinished(() => void socket.destroy());
    const chunks: Buffer[] = [];
    // RST_STREAM of stream 5 with REFUSED_STREAM (RFC 9113, sections 5.1.2 and 7).
    const refusal = Buffer.from([0, 0, 4, 3, 0, 0, 0, 0, 5, 0, 0, 0, 7]);
    for await (const chunk of socket) {
      chunks.push(chunk);
      if (Buffer.concat(chunks).includes(refusal)) break;
    }
    expect(world.counters.level('gatehouse_xds_streams')).toBeLessThanOrEqual(2);
  });
});
