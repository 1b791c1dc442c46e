import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { Server } from '@grpc/grpc-js';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Entrance } from '../../../src/serve/transport/listener.ts';
import { createManualClock } from '../../support/edges/manual-clock.ts';
import { createRecordedCounters, type RecordedCounters } from '../../support/edges/recorded-counters.ts';
import { createRawSocketNode, firstWords } from '../../support/nodes/raw-socket-node.ts';
import { targetType } from '../../support/worlds/hand-made-world.ts';
import {
  createServedWorld,
  gateway,
  gatewayNode as node,
  type ServedWorld,
} from '../../support/worlds/served-world.ts';

const portOf = ({ address }: ServedWorld): number => Number(address.split(':')[1]);

/** What becomes of a connection: the server says something, as HTTP/2 does first of all, or resets it. */
type Fate = 'begun' | 'reset';

interface Rig {
  readonly counters: RecordedCounters;
  readonly port: number;
  connect(localAddress?: string): { readonly socket: Socket; readonly fate: Promise<Fate> };
}

/** Nothing was ever sent. */
const lastPush = (): number => Number.NEGATIVE_INFINITY;

/** An entrance to a server that has no end of changes to send. */
async function createRig(rate: number): Promise<Rig> {
  const counters = createRecordedCounters();
  const parts = { clock: createManualClock(), counters, rate, connections: 1_000, pushing: () => true, lastPush };
  const entrance = new Entrance(new Server({ 'grpc.enable_channelz': 0 }), parts);
  const { port } = await entrance.start({ host: '127.0.0.1', port: 0 });
  onTestFinished(() => entrance.stop(0));
  return {
    counters,
    port,
    connect(localAddress = '127.0.0.1') {
      const socket = connect({ host: '127.0.0.1', port, localAddress });
      onTestFinished(() => void socket.destroy());
      const { promise: fate, resolve } = Promise.withResolvers<Fate>();
      socket.on('error', () => {});
      socket.once('data', () => resolve('begun'));
      socket.once('close', () => resolve('reset'));
      return { socket, fate };
    },
  };
}

describe('G3 a flood of connections', () => {
  it('is reset but for those that found a place, before anything is said on them', async () => {
    const rig = await createRig(4);
    const fates = await Promise.all(Array.from({ length: 60 }, () => rig.connect().fate));
    const reset = fates.filter((fate) => fate === 'reset').length;
    expect(reset).toBeGreaterThan(20);
    expect(reset).toBeLessThan(60 - 4);
    expect(rig.counters.total('gatehouse_xds_connections_refused_total')).toBe(reset);
  });

  it('keeps nobody of another address out', async () => {
    const rig = await createRig(4);
    const flood = Array.from({ length: 60 }, () => rig.connect().fate);
    expect(await rig.connect('127.0.0.2').fate).toBe('begun');
    expect(await Promise.all(flood)).toContain('reset');
  });
});

describe('a flood while changes are sent', () => {
  it('is let in as far as its pace allows, and the rest of it when they are over', async () => {
    const world = await createServedWorld({ maxStreamsPerSecond: 32 });
    onTestFinished(() => world.close());
    world.commit((edit) => edit.gateway(gateway));
    const neighbour = await world.following();
    world.put('a/x');
    await neighbour.accept();
    const words = firstWords({ node, typeUrl: targetType });
    const level = (): number => world.counters.level('gatehouse_xds_streams');
    const sockets = Array.from({ length: 25 }, () => createRawSocketNode(portOf(world), words));
    await Promise.all(sockets.map((socket) => once(socket, 'connect')));
    // The neighbour, and half of 32.
    while (level() < 1 + 16) await turn();
    for (let left = 300; left > 0; left -= 1) await turn();
    expect(level()).toBe(1 + 16);
    world.clock.advance(1_001);
    while (level() < 1 + 25) await turn();
  });
});

describe('connections', () => {
  it('are as many as may be, and another is closed until one of them ends', async () => {
    const world = await createServedWorld({ maxConnections: 3 });
    onTestFinished(() => world.close());
    world.commit((edit) => edit.gateway(gateway));
    const words = firstWords({ node, typeUrl: targetType });
    const level = (): number => world.counters.level('gatehouse_xds_streams');
    const sockets = [1, 2, 3].map(() => createRawSocketNode(portOf(world), words));
    while (level() < 3) await turn();
    const another = createRawSocketNode(portOf(world), words);
    await new Promise((resolve) => another.on('close', resolve));
    expect(world.counters.total('gatehouse_xds_connections_refused_total')).toBe(1);
    sockets[0]?.destroy();
    while (level() > 2) await turn();
    createRawSocketNode(portOf(world), words);
    while (level() < 3) await turn();
  });
});

describe('connections that end at once', () => {
  it('are cleared away a few in a turn of the event loop, and others are served in between', async () => {
    const world = await createServedWorld();
    onTestFinished(() => world.close());
    world.commit((edit) => edit.gateway(gateway));
    const neighbour = await world.following();
    const level = (): number => world.counters.level('gatehouse_xds_streams');
    const words = firstWords({ node, typeUrl: targetType });
    const sockets = Array.from({ length: 100 }, () => createRawSocketNode(portOf(world), words));
    while (level() < 101) await turn();
    for (const socket of sockets) socket.resetAndDestroy();
    let most = 0;
    for (let before = level(); before > 1; ) {
      await turn();
      most = Math.max(most, before - level());
      before = level();
    }
    expect(most).toBeGreaterThan(0);
    expect(most).toBeLessThanOrEqual(32);
    world.put('a/x');
    expect((await neighbour.accept()).names).toEqual(['a/x']);
  });
});

describe('an address', () => {
  it('is every address that its name has', async () => {
    const parts = {
      clock: createManualClock(),
      counters: createRecordedCounters(),
      rate: 10,
      connections: 10,
      pushing: () => false,
      lastPush,
    };
    const entrance = new Entrance(new Server(), parts);
    const { port } = await entrance.start({ host: 'localhost', port: 0 });
    onTestFinished(() => entrance.stop(0));
    const socket = connect({ host: '127.0.0.1', port });
    onTestFinished(() => void socket.destroy());
    await once(socket, 'data');
  });

  it('that cannot be had says which it is', async () => {
    const rig = await createRig(1);
    const second = new Entrance(new Server(), {
      clock: createManualClock(),
      counters: rig.counters,
      rate: 1,
      connections: 1,
      pushing: () => false,
      lastPush,
    });
    await expect(second.start({ host: '127.0.0.1', port: rig.port })).rejects.toMatchObject({
      code: 'EADDRINUSE',
      address: '127.0.0.1',
      port: rig.port,
    });
    await second.stop(0);
  });
});

describe('an entrance that closes', () => {
  it('G10 ends by force a connection whose node leaves no room for the end of its stream', async () => {
    // Nor is it keepalive that ends it.
    const world = await createServedWorld({ keepalive: 3_600_000 });
    world.commit((edit) => edit.gateway(gateway));
    world.put(...Array.from({ length: 2_000 }, (_, index) => `a/target-${index}`));
    const socket = createRawSocketNode(portOf(world), firstWords({ node, typeUrl: targetType }));
    const closed = new Promise((resolve) => socket.on('close', resolve));
    await world.log.line('a node is connected');
    await world.close();
    await closed;
  });

  it('ends those that wait, and is not kept open by them', async () => {
    const counters = createRecordedCounters();
    const parts = { clock: createManualClock(), counters, rate: 100, connections: 100, pushing: () => true, lastPush };
    const entrance = new Entrance(new Server(), parts);
    const { port } = await entrance.start({ host: '127.0.0.1', port: 0 });
    const sockets = Array.from({ length: 20 }, () => connect(port, '127.0.0.1').on('error', () => {}));
    await Promise.all(sockets.map((socket) => once(socket, 'connect')));
    const closed = sockets.map((socket) => new Promise((resolve) => socket.resume().on('close', resolve)));
    await entrance.stop(0);
    await Promise.all(closed);
  });
});
