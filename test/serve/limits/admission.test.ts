import { once } from 'node:events';
import { connect } from 'node:http2';
import { connect as connectSocket } from 'node:net';
import { status } from '@grpc/grpc-js';
import { describe, expect, it, onTestFinished } from 'vitest';
import { AggregatedDiscoveryServiceService as ads } from '../../../src/gen/envoy/service/discovery/v3/ads.ts';
import { Admission, type Admitted } from '../../../src/serve/limits/admission.ts';
import type { AdsServerOptions } from '../../../src/serve/serve.ts';
import { createManualClock, type ManualClock } from '../../support/edges/manual-clock.ts';
import { createRawConnection } from '../../support/nodes/raw-stream.ts';
import { targetType } from '../../support/worlds/hand-made-world.ts';
import {
  createServedWorld,
  gateway,
  gatewayNode as node,
  type ServedWorld,
} from '../../support/worlds/served-world.ts';

const waits = (turns: readonly Admitted[]): readonly unknown[] =>
  turns.map((turn) => (turn.kind === 'admitted' ? turn.wait : turn.kind));

describe('G3 the turns of new streams', () => {
  const admission = (
    rate: number,
  ): { enter(count: number, peer?: string): readonly Admitted[]; pass(milliseconds: number): void } => {
    const clock = createManualClock();
    const doorman = new Admission(clock, rate, 1_000);
    return {
      enter: (count, peer = 'one') => Array.from({ length: count }, () => doorman.enter(peer)),
      pass: (milliseconds) => clock.advance(milliseconds),
    };
  };

  it('are had at once by a thousand nodes that connect at once', () => {
    expect(new Set(waits(admission(2_000).enter(1_000)))).toEqual(new Set([0]));
  });

  it("are a second's worth at once, as many within the next second, and none beyond", () => {
    const turns = waits(admission(4).enter(11));
    expect(turns).toEqual([0, 0, 0, 0, 250, 500, 750, 1_000, 'refused', 'refused', 'refused']);
  });

  it('become free at the rate at which they are given', () => {
    const { enter, pass } = admission(4);
    enter(9);
    pass(500);
    expect(waits(enter(3))).toEqual([750, 1_000, 'refused']);
    pass(60_000);
    expect(waits(enter(5))).toEqual([0, 0, 0, 0, 250]);
  });

  it('are not withheld when the clock is set back', () => {
    let now = 10_000_000;
    const doorman = new Admission({ now: () => now, after: () => () => {} }, 4, 1_000);
    doorman.enter('one');
    now -= 3_600_000;
    expect(doorman.enter('one')).toMatchObject({ kind: 'admitted' });
  });
});

describe('G3 a peer that floods', () => {
  const flooded = (rate: number): { readonly doorman: Admission; readonly clock: ManualClock } => {
    const clock = createManualClock();
    const doorman = new Admission(clock, rate, 1_000);
    for (let stream = 0; stream < 4 * rate; stream += 1) doorman.enter('flood');
    return { doorman, clock };
  };

  it('keeps nobody out who wants little, and makes nobody of them wait', () => {
    const { doorman, clock } = flooded(2_000);
    for (let second = 0; second < 5; second += 1) {
      for (let peer = 0; peer < 100; peer += 1) {
        expect(waits(Array.from({ length: 4 }, () => doorman.enter(`peer ${peer}`)))).toEqual([0, 0, 0, 0]);
      }
      clock.advance(1_000);
      for (let stream = 0; stream < 4_000; stream += 1) doorman.enter('flood');
    }
  });

  it('has no more for it than it would have had, but for the little that is for everybody', () => {
    const clock = createManualClock();
    const doorman = new Admission(clock, 100, 1_000);
    let admitted = 0;
    for (let tick = 0; tick < 1_000; tick += 1) {
      for (let stream = 0; stream < 5; stream += 1) if (doorman.enter('flood').kind === 'admitted') admitted += 1;
      clock.advance(10);
    }
    // A second's worth at once, one that waits, and ten seconds at a hundred; at most a fiftieth more.
    expect(admitted).toBeGreaterThanOrEqual(1_190);
    expect(admitted).toBeLessThanOrEqual(1_200 * 1.02);
  });

  it('from many addresses takes no more than a quarter on top', () => {
    const doorman = new Admission(createManualClock(), 100, 1_000);
    const turns = Array.from({ length: 1_000 }, (_, peer) => doorman.enter(`peer ${peer}`));
    const admitted = turns.filter(({ kind }) => kind === 'admitted').length;
    expect(admitted).toBe(200 + 50);
  });

  it('wants little again once it was quiet for a second', () => {
    const { doorman, clock } = flooded(2_000);
    for (let stream = 0; stream < 100; stream += 1) doorman.enter('late');
    expect(doorman.enter('late')).toEqual({ kind: 'refused' });
    clock.advance(1_000);
    for (let stream = 0; stream < 4_000; stream += 1) doorman.enter('flood');
    expect(doorman.enter('late')).toEqual({ kind: 'admitted', wait: 0 });
  });
});

/** Fifty streams a second. */
const world = async (options: AdsServerOptions = {}): Promise<ServedWorld> => {
  const served = await createServedWorld({ maxStreamsPerSecond: 50, ...options });
  onTestFinished(() => served.close());
  served.commit((edit) => edit.gateway(gateway));
  return served;
};
const refused = ({ counters }: ServedWorld): number => counters.total('gatehouse_xds_streams_refused_total');

describe('G3 a server that takes in fifty streams a second', () => {
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

  it('serves a node of another address at once, whoever floods', async () => {
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
    await served.stream().request(targetType, { node }).accept();
    expect(served.counters.level('gatehouse_xds_nodes')).toBe(1);
  });

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

  it('G10 tells those who wait when it stops', async () => {
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
  it('give their places back when a deadline of theirs passed while they waited for their turn', async () => {
    const world = await createServedWorld({ maxStreamsPerSecond: 1 });
    onTestFinished(() => world.close());
    const connection = createRawConnection(world.address);
    onTestFinished(() => connection.close());
    connection.open();
    const late = connection.open({ 'grpc-timeout': '30m' });
    expect(await late.ended).toEqual({ grpcStatus: status.DEADLINE_EXCEEDED });
    expect(world.counters.level('gatehouse_xds_streams')).toBe(1);
    world.clock.advance(5_000);
    expect(await late.closed).toBe(8);
  });

  it('are no more than there are places; one beyond ends RESOURCE_EXHAUSTED, until another has gone', async () => {
    const world = await createServedWorld({ maxConnections: 3 });
    onTestFinished(() => world.close());
    world.commit((edit) => edit.gateway(gateway));
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
});
