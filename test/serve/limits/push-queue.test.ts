import { beforeEach, describe, expect, it } from 'vitest';
import { PushQueue } from '../../../src/serve/limits/push-queue.ts';
import { createManualClock } from '../../support/edges/manual-clock.ts';
import { createClosedWindow } from '../../support/nodes/closed-window.ts';
import { configType, targetType } from '../../support/worlds/hand-made-world.ts';
import {
  delta,
  deltaOf,
  gateway,
  gatewayNode as node,
  nodeOf,
  type ServedWorld,
  startServedWorld,
} from '../../support/worlds/served-world.ts';

let world: ServedWorld;

beforeEach(async () => {
  world = await startServedWorld();
});

const assemblies = (): number => world.counters.total('gatehouse_xds_assemblies_total');

describe('one change for many nodes', () => {
  it('F3 is put together once, and sent once to each', async () => {
    world.put('a/1', 'a/2');
    const fleet = await Promise.all(Array.from({ length: 20 }, () => world.following()));
    const before = {
      assemblies: assemblies(),
      responses: world.counters.total('gatehouse_xds_responses_total', { type: targetType }),
    };
    world.change('a/1', 81);
    for (const stream of fleet) expect(deltaOf(await stream.next())).toEqual(delta(['a/1']));
    expect(assemblies() - before.assemblies).toBe(1);
    expect(world.counters.total('gatehouse_xds_responses_total', { type: targetType }) - before.responses).toBe(20);
  });

  it('is put together once for all Gateways that see the same', async () => {
    const gateways = ['one/gw', 'two/gw', 'three/gw'];
    world.commit((edit) => {
      for (const name of gateways) edit.gateway(name);
    });
    const fleet = await Promise.all(gateways.map((name) => world.following({ node: nodeOf(name) })));
    const before = assemblies();
    world.put('a/1');
    for (const stream of fleet) expect(deltaOf(await stream.next())).toEqual(delta(['a/1']));
    expect(assemblies() - before).toBe(1);
  });

  it('A10 does not even pass by a node that has yet to answer, and reaches it with its answer', async () => {
    const slow = world.stream().request(targetType, { node });
    const first = await slow.next();
    const passes = world.counters.values('gatehouse_xds_queue_seconds').length;
    world.put('a/1');
    world.put('a/2');
    await slow.silence();
    expect(world.counters.values('gatehouse_xds_queue_seconds')).toHaveLength(passes);
    slow.ack(first);
    expect(deltaOf(await slow.next())).toEqual(delta(['a/1', 'a/2']));
  });

  it('F4 is not held up by a node that does not read or never answers', async () => {
    const silent = await world.following();
    const blind = await world.following();
    blind.stopReading();
    for (let port = 1000; port < 1010; port += 1) world.change('a/1', port);
    await silent.next();
    const good = await world.following();
    world.change('a/1', 2000);
    expect(deltaOf(await good.next())).toEqual(delta(['a/1']));
  });
});

it('F3 what cannot be written is merged until there is room, and then arrives', async () => {
  // More than a stream buffers: 64 KiB.
  world.put(...Array.from({ length: 1000 }, (_, index) => `a/${index}`));
  const blind = createClosedWindow(world.address, 'gw.default');
  blind.request({ typeUrl: targetType }, { typeUrl: configType });
  const marker = await world.following();
  while (world.server.nodes()[0]?.types.length !== 2) await marker.silence();
  expect(world.server.nodes()[0]?.types[0]).toMatchObject({ typeUrl: configType, counts: { responses: 0 } });

  for (const value of ['one', 'two', 'three']) world.commit((edit) => edit.config(gateway, 'p', value));
  const responses: string[][] = [];
  for await (const { typeUrl, resources } of blind.open()) {
    responses.push([typeUrl, ...resources.map(({ name }) => name)]);
    if (responses.length === 2) break;
  }
  expect(responses.filter(([typeUrl]) => typeUrl === configType)).toEqual([[configType, 'default.p']]);
  blind.close();
});

it('E4 what was to be pushed leaves before the answer to a request that came later', async () => {
  const client = world.client();
  const fleet = Array.from({ length: 100 }, () => client.open().request(configType, { node }));
  for (const stream of fleet) await stream.accept();
  for (const stream of fleet) await stream.silence();
  const last = fleet.at(-1);
  // The request is on its way when the change makes a queue that is longer than what is served at once.
  last?.request(targetType);
  world.commit((edit) => edit.config(gateway, 'p'));
  expect([(await last?.next())?.typeUrl, (await last?.next())?.typeUrl]).toEqual([configType, targetType]);
});

it('I3 a change that comes while a node is taken in is not lost', async () => {
  const { subscribe } = world.snapshots;
  world.snapshots.subscribe = (...following) => {
    world.put('a/before');
    const stop = subscribe.apply(world.snapshots, following);
    world.put('a/after');
    return stop;
  };
  const stream = world.stream().request(targetType, { node });
  expect(deltaOf(await stream.accept())).toEqual(delta(['a/after', 'a/before']));
  await stream.silence();
});

it('A10 a flood of requests of one node is not served before the request of another', async () => {
  const flooding = createClosedWindow(world.address, 'gw.default');
  const other = await world.following();
  const served = (): number => world.counters.total('gatehouse_xds_requests_total', { type: targetType });
  const before = served();
  flooding.request(...Array.from({ length: 400 }, () => ({ typeUrl: targetType, responseNonce: 'stale' })));
  other.request(configType);
  await other.next();
  expect(served() - before).toBeLessThan(200);
  while (served() - before < 400) await other.silence();
  flooding.close();
});

it('F4 a node that never reads is let go, whatever it has yet to read', async () => {
  const blind = createClosedWindow(world.address, 'gw.default');
  blind.request({ typeUrl: targetType });
  const marker = await world.following();
  while (world.server.nodes()[0]?.types.length !== 1) await marker.silence();
  world.clock.advance(30_000);
  expect(world.counters.total('gatehouse_xds_streams_ended_total', { code: 'DEADLINE_EXCEEDED' })).toBe(2);
  expect(world.server.nodes()).toEqual([]);
  blind.close();
});

describe('A10 the queue of pushes', () => {
  const queueOf = (slice: number): PushQueue => new PushQueue({ slice, clock: createManualClock(), waited: () => {} });

  it('serves each stream once, however often it is added', async () => {
    const pushed: string[] = [];
    const { promise, resolve } = Promise.withResolvers<void>();
    const queue = queueOf(2);
    const one = { push: () => void pushed.push('one') };
    const two = { push: () => resolve(void pushed.push('two')) };
    for (const stream of [one, one, two, one, two]) queue.add(stream);
    await promise;
    expect(pushed).toEqual(['one', 'two']);
  });

  it('lets others run between two slices, and goes on although they never stop', async () => {
    const order: string[] = [];
    const { promise, resolve } = Promise.withResolvers<void>();
    const queue = queueOf(2);
    let flooding = true;
    const flood = (): void => {
      order.push('request');
      if (flooding) setImmediate(flood);
    };
    setImmediate(flood);
    for (let index = 0; index < 6; index += 1) {
      queue.add({
        push: () => {
          order.push('push');
          if (index === 5) resolve();
        },
      });
    }
    await promise;
    flooding = false;
    expect(order.filter((what) => what === 'push')).toHaveLength(6);
    expect(order.join(' ')).toContain('push push request');
    expect(order.join(' ')).not.toContain('push push push');
  });

  it('G12 tells of each slice how long the one that waited longest did, since its first change', async () => {
    const clock = createManualClock();
    const { promise, resolve } = Promise.withResolvers<void>();
    const waited: number[] = [];
    const queue = new PushQueue({ slice: 2, clock, waited: (milliseconds) => void waited.push(milliseconds) });
    const first = { push: () => {} };
    queue.add(first);
    clock.advance(5);
    queue.add({ push: () => {} });
    queue.add({ push: resolve });
    queue.add(first);
    clock.advance(2);
    await promise;
    expect(waited).toEqual([7, 2]);
  });

  it('forgets a stream that ended', async () => {
    const pushed: string[] = [];
    const { promise, resolve } = Promise.withResolvers<void>();
    const queue = queueOf(1);
    const gone = { push: () => void pushed.push('gone') };
    queue.add(gone);
    queue.add({ push: () => resolve(void pushed.push('here')) });
    queue.delete(gone);
    await promise;
    expect(pushed).toEqual(['here']);
  });
});
