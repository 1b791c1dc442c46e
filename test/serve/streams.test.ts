import { Client, credentials, status } from '@grpc/grpc-js';
import { beforeEach, describe, expect, it } from 'vitest';
import { createAdsServer } from '../../src/serve/serve.ts';
import { createManualClock } from '../support/edges/manual-clock.ts';
import { createRecordedCounters } from '../support/edges/recorded-counters.ts';
import { createRecordedLog } from '../support/edges/recorded-log.ts';
import { createClosedWindow } from '../support/nodes/closed-window.ts';
import { configType, createHandMadeWorld, targetType } from '../support/worlds/hand-made-world.ts';
import {
  delta,
  deltaOf,
  gateway,
  gatewayNode as node,
  nodeOf,
  type ServedWorld,
  startServedWorld,
  unsecured,
} from '../support/worlds/served-world.ts';

let world: ServedWorld;

beforeEach(async () => {
  world = await startServedWorld({ maxRequest: 100_000, maxSubscription: 10_000, maxInitialVersions: 1_000 });
});

const invalid = (text: string): object => ({ code: 'INVALID_ARGUMENT', message: expect.stringContaining(text) });
/** Opens the stream of another node, which must not be affected. */
const neighbour = async (): Promise<() => Promise<void>> => {
  const stream = await world.following();
  return async () => {
    world.put('a/for-the-neighbour');
    expect(deltaOf(await stream.next())).toEqual(delta(['a/for-the-neighbour']));
  };
};

describe('a stream ends alone, with', () => {
  it.each(['delta', 'state-of-the-world'] as const)(
    'A2 INVALID_ARGUMENT for a request without a type (%s)',
    async (variant) => {
      const unharmed = await neighbour();
      const stream = world.stream({ variant }).request('', { node });
      expect(await stream.ended()).toEqual(invalid('type_url'));
      await unharmed();
    },
  );

  it.each(['delta', 'state-of-the-world'] as const)(
    'G1 INVALID_ARGUMENT for an empty message (%s)',
    async (variant) => {
      expect(await world.stream({ variant }).raw(Buffer.alloc(0)).ended()).toEqual(invalid('type_url'));
    },
  );

  it.each(['delta', 'state-of-the-world'] as const)(
    'G4 INVALID_ARGUMENT for a malformed request (%s)',
    async (variant) => {
      const unharmed = await neighbour();
      const stream = world.stream({ variant }).raw(Buffer.from('0affffffffff', 'hex'));
      expect(await stream.ended()).toEqual(invalid('cannot be decoded'));
      await unharmed();
    },
  );

  it('G4 INVALID_ARGUMENT for a malformed request in the middle of a stream', async () => {
    const stream = await world.following();
    expect(await stream.raw(Buffer.from([0xff])).ended()).toEqual(invalid('cannot be decoded'));
    expect(world.server.nodes()).toEqual([]);
  });

  it('A4 INVALID_ARGUMENT for a node that names no Gateway, with a message that lists the five ways', async () => {
    const stream = world.stream().request(targetType, { node: { id: 'somebody' } });
    expect(await stream.ended()).toEqual(invalid('five ways'));
    expect(await world.stream().request(targetType).ended()).toEqual(invalid(':authority'));
  });

  it('G2 G9 UNAVAILABLE before the first response, until the first sync', async () => {
    world.ready = false;
    const stream = world.stream().request(targetType, { node });
    expect(await stream.ended()).toMatchObject({ code: 'UNAVAILABLE' });
    await expect(stream.next()).rejects.toThrow('UNAVAILABLE');
    world.ready = true;
    expect(deltaOf(await world.stream().request(targetType, { node }).next())).toEqual(delta([]));
  });
});

describe('a request above a limit ends its stream with', () => {
  it('G5 RESOURCE_EXHAUSTED for its size', async () => {
    const unharmed = await neighbour();
    const stream = world.stream().request(targetType, { node, subscribe: ['x'.repeat(200_000)] });
    expect(await stream.ended()).toMatchObject({ code: 'RESOURCE_EXHAUSTED' });
    await unharmed();
  });

  it('RESOURCE_EXHAUSTED for the names of its subscription', async () => {
    const stream = await world.following();
    stream.request(targetType, { subscribe: Array.from({ length: 1000 }, (_, index) => `a/${index}`) });
    expect(await stream.ended()).toMatchObject({
      code: 'RESOURCE_EXHAUSTED',
      message: expect.stringContaining('names'),
    });
  });

  it('RESOURCE_EXHAUSTED for reported names beyond those that exist', async () => {
    const initial = Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`a/${index}`, '1']));
    expect(await world.stream().request(targetType, { node, initial }).ended()).toMatchObject({
      code: 'RESOURCE_EXHAUSTED',
      message: expect.stringContaining('more than there is'),
    });
    world.commit((edit) => {
      for (const name of Object.keys(initial)) edit.target(name);
    });
    expect((await world.stream().request(targetType, { node, initial }).next()).names).toHaveLength(100);
  });

  it('RESOURCE_EXHAUSTED for the number of unknown types', async () => {
    const stream = world.stream();
    for (let index = 0; index < 33; index += 1) stream.request(`type.test/${index}`, { node });
    expect(await stream.ended()).toMatchObject({ code: 'RESOURCE_EXHAUSTED' });
  });
});

it('G1 an unknown method ends UNIMPLEMENTED', async () => {
  const client = new Client(world.address, credentials.createInsecure());
  const bytes = (message: Buffer): Buffer => message;
  const path = '/envoy.service.discovery.v3.AggregatedDiscoveryService/Nothing';
  const { promise, resolve } = Promise.withResolvers<unknown>();
  client.makeUnaryRequest(path, bytes, bytes, Buffer.alloc(0), resolve);
  expect(await promise).toMatchObject({ code: status.UNIMPLEMENTED });
  client.close();
});

describe('A7 a type that is not registered', () => {
  it('is answered once, with all names as removed', async () => {
    const stream = world.stream().request('type.test/unknown', { node, subscribe: ['x', 'y'], initial: { z: '1' } });
    const response = await stream.accept();
    expect(response.typeUrl).toBe('type.test/unknown');
    expect(deltaOf(response)).toEqual(delta([], ['x', 'y']));
    await stream.silence();
    expect(world.counters.total('gatehouse_xds_unknown_types_total')).toBeGreaterThanOrEqual(1);
  });

  it('is answered for a wildcard as well, and removes no reported names', async () => {
    const stream = world.stream().request('type.test/unknown', { node, initial: { z: '1' } });
    expect(deltaOf(await stream.accept())).toEqual(delta([]));
    await stream.silence();
  });

  it('is answered in state of the world for a wildcard only', async () => {
    const list = ['x', 'y'];
    const state = { variant: 'state-of-the-world' } as const;
    await world.stream(state).request('type.test/unknown', { node, names: list }).silence();
    for (const names of [[], ['*'], ['*', 'x']]) {
      const stream = world.stream(state).request('type.test/unknown', { node, names });
      expect(await stream.accept({ names })).toMatchObject({ typeUrl: 'type.test/unknown', messages: [] });
      await stream.silence();
    }
  });

  it('changes nothing for registered types', async () => {
    const stream = await world.following();
    stream.request('type.test/unknown');
    await stream.accept();
    world.put('a/1');
    expect(deltaOf(await stream.accept())).toEqual(delta(['a/1']));
  });
});

describe('a node', () => {
  it('is identified by its header or its authority, without a node message', async () => {
    world.put('a/1');
    const headers = { 'x-alt-xds-hostname': 'gw.default.svc.cluster.local' };
    expect((await world.stream({ headers }).request(targetType).next()).names).toEqual(['a/1']);
    const authority = 'gw.default.svc.cluster.local:9977';
    expect((await world.stream({ authority }).request(targetType).next()).names).toEqual(['a/1']);
    expect(world.server.nodes()).toMatchObject([
      { id: '', gateway, identifiedBy: 'x-alt-xds-hostname' },
      { id: '', gateway, identifiedBy: ':authority' },
    ]);
  });

  it('of a Gateway that does not exist stays connected with empty Views, and is sent the resources when it appears', async () => {
    world.put('a/1');
    const stream = world.stream().request(targetType, { node: nodeOf('default/later') });
    expect(deltaOf(await stream.accept())).toEqual(delta([]));
    expect(world.server.nodes()).toMatchObject([{ gateway: 'default/later', gatewayExists: false }]);
    world.commit((edit) => edit.gateway('default/later'));
    expect(deltaOf(await stream.accept())).toEqual(delta(['a/1']));
    expect(world.server.nodes()).toMatchObject([{ gatewayExists: true }]);
    world.commit((edit) => edit.noGateway('default/later'));
    expect(deltaOf(await stream.accept())).toEqual(delta([], ['a/1']));
  });

  it('A8 with a second stream keeps it when the first ends', async () => {
    const first = await world.following();
    const second = await world.following();
    first.cancel();
    await first.ended();
    world.put('a/1');
    expect(deltaOf(await second.next())).toEqual(delta(['a/1']));
  });

  it('has a status with its subscription, and the sent and ACKed versions', async () => {
    world.put('a/1');
    const stream = await world.following({ subscribe: ['*', 'a/1'] });
    world.change('a/1', 81);
    await stream.next();
    const [status] = world.server.nodes();
    expect(status).toMatchObject({ id: node.id, gateway, identifiedBy: 'metadata.role', variety: 'delta' });
    expect(status?.peer).toMatch(/^127\.0\.0\.1:\d+$/);
    const type = status?.types.find(({ typeUrl }) => typeUrl === targetType);
    expect(type).toMatchObject({
      known: true,
      subscription: { wildcard: true, names: ['a/1'] },
      inFlightSince: world.clock.now(),
      counts: { requests: 2, responses: 2, acks: 1, nacks: 0 },
    });
    expect(type?.sent?.version).toBe(world.snapshots.of(gateway).views.get(targetType)?.version());
    expect(type?.acked?.version).not.toBe(type?.sent?.version);
  });
});

it('G12 requests, responses, ACKs and NACKs are counted by type', async () => {
  const stream = await world.following();
  world.put('a/1');
  stream.nack(await stream.next());
  stream.request(targetType, { nonce: 'stale' });
  await stream.silence();
  const counted = (['requests', 'responses', 'acks', 'nacks', 'stale_nonces'] as const).map((what) =>
    world.counters.total(`gatehouse_xds_${what}_total`, { type: targetType }),
  );
  expect(counted).toEqual([4, 2, 1, 1, 1]);
  expect(world.counters.level('gatehouse_xds_streams')).toBe(1);
});

describe('A11 a stream leaves nothing behind', () => {
  it('that the node half-closes; it ends OK', async () => {
    const stream = await world.following();
    stream.halfClose();
    expect(await stream.ended()).toMatchObject({ code: 'OK' });
    expect(world.server.nodes()).toEqual([]);
    expect(world.counters.level('gatehouse_xds_streams')).toBe(0);
    expect(world.counters.total('gatehouse_xds_streams_ended_total', { code: 'OK' })).toBe(1);
  });

  it('after a hundred nodes connected and disconnected in various ways', async () => {
    const { subscribe } = world.snapshots;
    let watches = 0;
    world.snapshots.subscribe = (...following) => {
      const stop = subscribe.apply(world.snapshots, following);
      watches += 1;
      return () => {
        watches -= 1;
        stop();
      };
    };
    const marker = world.stream().request(targetType, { node: nodeOf('default/marker') });
    await marker.accept();
    const client = world.client();
    for (let index = 0; index < 100; index += 1) {
      const stream = client.open().request(targetType, { node }).request(configType);
      await stream.next();
      await stream.next();
      expect(watches).toBe(2);
      if (index % 3 === 0) stream.halfClose();
      else if (index % 3 === 1) stream.cancel();
      else stream.raw(Buffer.from([0xff]));
      await stream.ended();
      // The server is notified of a cancelled stream later than the node: each turn is a round trip.
      while (world.server.nodes().length > 1) await marker.silence();
    }
    expect(watches).toBe(1);
    marker.halfClose();
    await marker.ended();
    expect(watches).toBe(0);
    expect(world.server.nodes()).toEqual([]);
    expect(world.clock.waiting()).toEqual([]);
  });
});

describe('the server', () => {
  it('names the address that it cannot bind', async () => {
    const { snapshots } = createHandMadeWorld();
    const parts = {
      snapshots,
      ready: () => true,
      ...unsecured,
      clusterDomain: 'cluster.local',
      clock: createManualClock(),
      random: () => 0,
      log: createRecordedLog(),
      counters: createRecordedCounters(),
    };
    const port = Number(world.address.split(':')[1]);
    const second = createAdsServer({}, parts);
    await expect(second.start({ host: '127.0.0.1', port })).rejects.toThrow(world.address);
    await second.stop(0);
  });

  it('G9 G10 that stops ends its streams UNAVAILABLE within half of the grace time, and accepts no connection', async () => {
    const stream = await world.following();
    const stopped = world.server.stop(10_000);
    world.clock.advance(2_499);
    expect(world.server.nodes()).toHaveLength(1);
    world.clock.advance(1);
    expect(await stream.ended()).toMatchObject({
      code: 'UNAVAILABLE',
      message: expect.stringContaining('shutting down'),
    });
    await stopped;
    expect(await world.stream().request(targetType, { node }).ended()).toMatchObject({ code: 'UNAVAILABLE' });
  });

  it('G10 that stops does not wait for a node that reads nothing and keeps its connection', async () => {
    const blind = createClosedWindow(world.address, 'gw.default');
    blind.request({ typeUrl: targetType });
    await world.log.line('a node is connected');
    await world.server.stop(1);
    expect(await blind.closed).toBe('by the server');
  });
});
