import { beforeEach, describe, expect, it } from 'vitest';
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

describe('the first request of a type', () => {
  it('B1 C4 as a wildcard is answered at once with every resource, its name and its version', async () => {
    world.put('a/1', 'a/2');
    const response = await world.stream().request(targetType, { node }).next();
    expect(deltaOf(response)).toEqual(delta(['a/1', 'a/2']));
    expect(response.versions['a/1']).toMatch(/^[0-9a-f]{32}$/);
    expect(response.versions['a/1']).not.toBe(response.versions['a/2']);
  });

  it('A12 A14 has a response with its type, also in every resource, and with a nonce', async () => {
    world.put('a/1');
    const response = await world.stream().request(targetType, { node }).next();
    expect(response.typeUrl).toBe(targetType);
    expect(response.resourceTypes).toEqual([targetType]);
    expect(response.nonce).not.toBe('');
  });

  it('C15 with an empty subscribe list is a wildcard, also if it unsubscribes from a name', async () => {
    world.put('a/1');
    const stream = world.stream().request(targetType, { node, unsubscribe: ['a/9'] });
    expect(deltaOf(await stream.accept())).toEqual(delta(['a/1']));
    await stream.silence();
  });

  it('C1 as a wildcard is answered even without resources', async () => {
    const stream = world.stream().request(targetType, { node });
    expect(deltaOf(await stream.accept())).toEqual(delta([]));
    await stream.silence();
  });

  it('C2 by name is answered with existing resources, and with the others as removed', async () => {
    world.put('a/1', 'a/2');
    const stream = world.stream().request(targetType, { node, subscribe: ['a/1', 'a/missing', ''] });
    expect(deltaOf(await stream.accept())).toEqual(delta(['a/1'], ['', 'a/missing']));
    await stream.silence();
  });

  it('C3 a name that was sent as removed is sent when it is created, and when it is created again', async () => {
    const stream = await world.following({ subscribe: ['a/1'] });
    world.put('a/1');
    expect(deltaOf(await stream.accept())).toEqual(delta(['a/1']));
    world.drop('a/1');
    expect(deltaOf(await stream.accept())).toEqual(delta([], ['a/1']));
    world.put('a/1');
    expect(deltaOf(await stream.accept())).toEqual(delta(['a/1']));
  });

  it('A3 A5 only the node of the first request of the stream is read', async () => {
    world.commit((edit) => edit.config('other/gw', 'theirs'));
    const stream = await world.following();
    stream.request(configType, { node: nodeOf('other/gw') });
    expect(deltaOf(await stream.accept())).toEqual(delta([]));
    expect(world.server.nodes()).toMatchObject([{ gateway }]);
  });

  it('A15 is an initial request even with a nonce of an earlier stream', async () => {
    world.put('a/1');
    const stream = world.stream().request(targetType, { node, nonce: '1' });
    expect(deltaOf(await stream.next())).toEqual(delta(['a/1']));
  });

  it('A9 is answered in the order of the requests', async () => {
    world.put('a/1');
    const stream = world.stream().request(targetType, { node }).request(configType);
    expect([(await stream.next()).typeUrl, (await stream.next()).typeUrl]).toEqual([targetType, configType]);
  });
});
