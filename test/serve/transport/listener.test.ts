import { once } from 'node:events';
import type { Http2Session } from 'node:http2';
import { connect, type Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { Server } from '@grpc/grpc-js';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Http2Server } from '../../../src/serve/transport/http2-server.ts';
import { Listener, type ListenerParts } from '../../../src/serve/transport/listener.ts';
import { createManualClock } from '../../support/edges/manual-clock.ts';
import { createRecordedCounters, type RecordedCounters } from '../../support/edges/recorded-counters.ts';
import { createRecordedLog } from '../../support/edges/recorded-log.ts';
import { createRawSocketNode, firstWords } from '../../support/nodes/raw-socket-node.ts';
import { targetType } from '../../support/worlds/hand-made-world.ts';
import { gatewayNode as node, type ServedWorld, startServedWorld } from '../../support/worlds/served-world.ts';

const portOf = ({ address }: ServedWorld): number => Number(address.split(':')[1]);

const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');

function closeOf(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.on('close', () => resolve()));
}

/** What the server does with a connection: begins HTTP/2, or resets it. */
type Fate = 'begun' | 'reset';

interface Rig {
  readonly counters: RecordedCounters;
  readonly port: number;
  connect(localAddress?: string): { readonly socket: Socket; readonly fate: Promise<Fate> };
}

/** While busy, two connections of an address are accepted; no time passes, so all others wait. */
function listenerParts(capacity: number, busy = true): ListenerParts {
  const edges = { clock: createManualClock(), counters: createRecordedCounters(), log: createRecordedLog() };
  const limits = { maxConnections: 1_000, capacity, busyRate: { rate: 1, burst: 2 }, prefaceTimeout: 10_000 };
  return { ...edges, ...limits, busy: () => busy, mayOpen: () => true, began: () => {}, tls: undefined };
}

function createListener(parts: ListenerParts): Listener {
  const server = new Server({ 'grpc.enable_channelz': 0 });
  return new Listener(
    server,
    new Http2Server(
      server,
      { maxStreams: 100, maxHeaders: 16_384 },
      { admit: (_stream, _headers, start) => start(), cutOff: () => {}, failed: () => {} },
    ),
    parts,
  );
}

/** A listener whose server sends changes without end. */
async function createRig(capacity: number): Promise<Rig> {
  const counters = createRecordedCounters();
  const listener = createListener({ ...listenerParts(capacity), counters });
  const { port } = await listener.start({ host: '127.0.0.1', port: 0 });
  onTestFinished(() => listener.stop(0));
  return {
    counters,
    port,
    connect(localAddress = '127.0.0.1') {
      const socket = createRawSocketNode(port, preface, localAddress);
      onTestFinished(() => void socket.destroy());
      const { promise: fate, resolve } = Promise.withResolvers<Fate>();
      socket.once('data', () => resolve('begun'));
      socket.once('close', () => resolve('reset'));
      return { socket, fate };
    },
  };
}

describe('G3 a flood of connections', () => {
  it('is reset, before anything is written, but for those that fit into the queue', async () => {
    const rig = await createRig(4);
    const flood = Array.from({ length: 60 }, () => rig.connect().fate);
    const fates: Fate[] = [];
    for (const fate of flood) void fate.then((it) => fates.push(it));
    while (fates.length < 60 - 4) await turn();
    expect(fates.filter((fate) => fate === 'begun')).toHaveLength(2);
    expect(rig.counters.total('gatehouse_xds_connections_refused_total')).toBe(60 - 4 - 2);
  });

  it('does not keep out another address', async () => {
    const rig = await createRig(4);
    const flood = Array.from({ length: 60 }, () => rig.connect().fate);
    expect(await rig.connect('127.0.0.2').fate).toBe('begun');
    expect(await Promise.race(flood.slice(6))).toBe('reset');
  });
});

describe('a flood of one address while changes are sent', () => {
  it('is accepted at the rate of an address, and all of it when no change was sent for a second', async () => {
    const world = await startServedWorld({ busyAcceptRate: 2, busyAcceptBurst: 16 });
    const neighbour = await world.following();
    world.put('a/x');
    await neighbour.accept();
    const words = firstWords({ node, typeUrl: targetType });
    const level = (): number => world.counters.level('gatehouse_xds_streams');
    const sockets = Array.from({ length: 25 }, () => createRawSocketNode(portOf(world), words, '127.0.0.2'));
    await Promise.all(sockets.map((socket) => once(socket, 'connect')));
    const idle = async (): Promise<void> => {
      for (let left = 300; left > 0; left -= 1) await turn();
    };
    while (level() < 1 + 16) await turn();
    await idle();
    expect(level()).toBe(1 + 16);
    world.clock.advance(500);
    while (level() < 1 + 17) await turn();
    await idle();
    expect(level()).toBe(1 + 17);
    createRawSocketNode(portOf(world), words, '127.0.0.3');
    while (level() < 1 + 18) await turn();
    world.clock.advance(501);
    while (level() < 1 + 26) await turn();
  });
});

describe('connections', () => {
  it('are at most as many as the limit, and another is closed until one of them ends', async () => {
    const world = await startServedWorld({ maxConnections: 3 });
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

describe('connections of one address', () => {
  it('are at most three quarters of the limit, and others get the rest', async () => {
    const world = await startServedWorld({ maxConnections: 4 });
    const words = firstWords({ node, typeUrl: targetType });
    const level = (): number => world.counters.level('gatehouse_xds_streams');
    for (let count = 0; count < 3; count += 1) createRawSocketNode(portOf(world), words);
    while (level() < 3) await turn();
    const another = createRawSocketNode(portOf(world), words);
    await new Promise((resolve) => another.on('close', resolve));
    createRawSocketNode(portOf(world), words, '127.0.0.2');
    while (level() < 4) await turn();
    expect(world.counters.total('gatehouse_xds_connections_refused_total')).toBe(1);
  });
});

describe('connections that end at once', () => {
  it('are torn down a few in an iteration of the event loop, and other streams are served in between', async () => {
    const world = await startServedWorld();
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

describe('the address of a listener', () => {
  it('is every address that its name has', async () => {
    const listener = createListener(listenerParts(10, false));
    const { port } = await listener.start({ host: 'localhost', port: 0 });
    onTestFinished(() => listener.stop(0));
    const socket = createRawSocketNode(port, preface);
    onTestFinished(() => void socket.destroy());
    await once(socket, 'data');
  });

  it('is named by the error when it cannot be bound', async () => {
    const rig = await createRig(1);
    const second = createListener(listenerParts(1, false));
    await expect(second.start({ host: '127.0.0.1', port: rig.port })).rejects.toMatchObject({
      name: 'ListenError',
      code: 'EADDRINUSE',
      at: { host: '127.0.0.1', port: rig.port },
    });
    await second.stop(0);
  });
});

describe('a listener that stops', () => {
  it('G10 ends by force a connection whose node leaves no room for the end of its stream', async () => {
    // Nor is it keepalive that ends it.
    const world = await startServedWorld({ keepalive: 3_600_000 });
    world.put(...Array.from({ length: 2_000 }, (_, index) => `a/target-${index}`));
    const socket = createRawSocketNode(portOf(world), firstWords({ node, typeUrl: targetType }));
    const closed = new Promise((resolve) => socket.on('close', resolve));
    await world.log.line('a node is connected');
    await world.close();
    await closed;
  });

  it('ends the connections that wait, and does not wait for them', async () => {
    const listener = createListener(listenerParts(100));
    const { port } = await listener.start({ host: '127.0.0.1', port: 0 });
    const sockets = Array.from({ length: 20 }, () => connect(port, '127.0.0.1').on('error', () => {}));
    await Promise.all(sockets.map((socket) => once(socket, 'connect')));
    const closed = sockets.map((socket) => new Promise((resolve) => socket.resume().on('close', resolve)));
    await listener.stop(0);
    await Promise.all(closed);
  });
});

describe('a connection that does not speak HTTP/2', () => {
  it('is reset when it is silent for ten seconds, or says something else', async () => {
    const clock = createManualClock();
    const counters = createRecordedCounters();
    const listener = createListener({ ...listenerParts(10, false), clock, counters });
    const { port } = await listener.start({ host: '127.0.0.1', port: 0 });
    onTestFinished(() => listener.stop(0));
    for (const words of ['', 'PRI * HTTP/2.0']) {
      const silent = createRawSocketNode(port, Buffer.from(words));
      const closed = closeOf(silent);
      await clock.armed();
      clock.advance(10_000);
      await closed;
    }
    await closeOf(createRawSocketNode(port, Buffer.from('GET / HTTP/1.1')));
    expect(counters.total('gatehouse_xds_connections_refused_total')).toBe(3);
    expect(clock.waiting()).toEqual([]);
  });

  it('is torn down a few in an iteration of the event loop, however many are silent together', async () => {
    const clock = createManualClock();
    const listener = createListener({ ...listenerParts(200), clock });
    const { port } = await listener.start({ host: '127.0.0.1', port: 0 });
    onTestFinished(() => listener.stop(0));
    let open = 120;
    for (let count = 0; count < 120; count += 1)
      createRawSocketNode(port, preface.subarray(0, 9)).on('close', () => (open -= 1));
    await clock.armed(120);
    clock.advance(10_000);
    let most = 0;
    for (let before = open; before > 0; before = open) {
      await turn();
      most = Math.max(most, before - open);
    }
    expect(most).toBeLessThanOrEqual(16);
  });
});

describe('a connection that ends while it waits', () => {
  it('makes room for another one, which is not reset', async () => {
    const rig = await createRig(4);
    const first = [rig.connect(), rig.connect()];
    for (const { fate } of first) expect(await fate).toBe('begun');
    const waiting = Array.from({ length: 4 }, () => rig.connect().socket);
    await Promise.all(waiting.map((socket) => once(socket, 'connect')));
    for (const socket of waiting) socket.end();
    await Promise.all(waiting.map(closeOf));
    const others = Array.from({ length: 4 }, () => rig.connect().socket);
    await Promise.all(others.map((socket) => once(socket, 'connect')));
    for (let left = 50; left > 0; left -= 1) await turn();
    expect(rig.counters.total('gatehouse_xds_connections_refused_total')).toBe(0);
  });
});

describe('a connection whose teardown waits', () => {
  it('may still receive bytes, which end nothing but itself', async () => {
    const sessions: Http2Session[] = [];
    // Busy, two are torn down in an iteration of the event loop.
    const parts = { ...listenerParts(100), busyRate: { rate: 1, burst: 100 } };
    const listener = createListener({ ...parts, began: (session) => void sessions.push(session) });
    const { port } = await listener.start({ host: '127.0.0.1', port: 0 });
    onTestFinished(() => listener.stop(0));
    const sockets = Array.from({ length: 60 }, () => createRawSocketNode(port, preface));
    while (sessions.length < 60) await turn();
    const closed = Promise.all(sockets.map(closeOf));
    for (const session of sessions) session.destroy(new Error('broken'));
    for (let left = 40; left > 0; left -= 1) {
      for (const socket of sockets) if (socket.writable) socket.write('x');
      await turn();
    }
    await closed;
  });
});
