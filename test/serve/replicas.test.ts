import { describe, expect, it } from 'vitest';
import { createAdsClient } from '../support/nodes/ads-client.ts';
import { createHalfOpen } from '../support/processes/half-open.ts';
import { configType, targetType } from '../support/worlds/hand-made-world.ts';
import { delta, deltaOf, gateway, gatewayNode as node, startServedWorld } from '../support/worlds/served-world.ts';

describe('A16 every response names the replica and its version', () => {
  it.each(['delta', 'state-of-the-world'] as const)('(%s)', async (variant) => {
    const world = await startServedWorld({ identifier: 'pod-1 gatehouse/1.2.3' });
    const stream = world.stream({ variant }).request(targetType, { node });
    expect(await stream.accept()).toMatchObject({ identifier: 'pod-1 gatehouse/1.2.3' });
    world.put('a/1');
    expect(await stream.accept()).toMatchObject({ identifier: 'pod-1 gatehouse/1.2.3' });
  });

  it('and no resource version depends on it', async () => {
    const [one, two] = [
      await startServedWorld({ identifier: 'pod-1' }),
      await startServedWorld({ identifier: 'pod-2' }),
    ];
    const versions: unknown[] = [];
    for (const world of [one, two]) {
      world.put('a/1');
      const { versions: ofResources } = await world.stream().request(targetType, { node }).next();
      const { version } = await world.stream({ variant: 'state-of-the-world' }).request(targetType, { node }).next();
      versions.push({ ...ofResources, version });
    }
    expect(versions[0]).toEqual(versions[1]);
  });
});

it('H1 H2 H3 a node that moves to another replica is sent only what differs', async () => {
  const [one, two] = [await startServedWorld(), await startServedWorld()];
  one.put('a/same', 'a/other', 'a/gone');
  two.put('a/new', 'a/same');
  two.change('a/other', 81);
  const { versions: initial } = await one.stream().request(targetType, { node }).next();
  const stream = two.stream().request(targetType, { node, initial });
  expect(deltaOf(await stream.accept())).toEqual(delta(['a/new', 'a/other'], ['a/gone']));
  await stream.silence();
});

it('H2 the same content has the same version again, other content another', async () => {
  const world = await startServedWorld();
  const versions: string[] = [];
  for (const port of [80, 81, 80]) {
    world.change('a/1', port);
    const { versions: now } = await world.stream().request(targetType, { node }).next();
    versions.push(now['a/1'] ?? '');
  }
  expect(versions[0]).toBe(versions[2]);
  expect(versions[0]).not.toBe(versions[1]);
});

it('C28 a delta response has no system_version_info, which would need a hash of all resources', async () => {
  const world = await startServedWorld();
  world.put('a/1');
  expect(await world.stream().request(targetType, { node }).next()).toMatchObject({ version: '' });
});

it('B28 D1 D4 a resource is never wrapped, has no ttl and always a body, whatever the node supports', async () => {
  const world = await startServedWorld();
  world.put('a/1');
  const clientFeatures = ['xds.config.supports-resource-in-sotw', 'xds.config.supports-resource-ttl'];
  const able = { ...node, clientFeatures };
  const stream = world.stream({ variant: 'state-of-the-world' }).request(targetType, { node: able });
  expect(await stream.accept()).toMatchObject({ resourceTypes: [targetType] });
  const delta = world.stream().request(targetType, { node: able });
  expect(await delta.accept()).toMatchObject({ resourceTypes: [targetType], ttls: [false] });
  await delta.silence();
  await stream.silence();
});

it('G7 a connection that does not answer pings is closed', async () => {
  const world = await startServedWorld({ keepalive: 50 });
  const way = await createHalfOpen(world.address);
  const client = createAdsClient(way.address);
  const stream = client.open().request(targetType, { node });
  await stream.accept();
  way.cut();
  await world.log.line('a node is gone');
  expect(world.server.nodes()).toEqual([]);
  client.close();
  way.close();
});

it('G6 a response above the limit that cannot be split is sent and logged', async () => {
  const world = await startServedWorld({ maxResponse: 1000 });
  world.put(...Array.from({ length: 50 }, (_, index) => `a/${index}`));
  const stream = world.stream({ variant: 'state-of-the-world' }).request(targetType, { node });
  expect((await stream.next()).messages).toHaveLength(50);
  expect(world.log.text()).toContain('larger than many nodes accept');
});

it('E8 the changes of one commit are sent in one response per type, of the same generation', async () => {
  const world = await startServedWorld();
  const stream = await world.following();
  stream.request(configType);
  await stream.accept();
  await stream.silence();
  world.commit((edit) => {
    edit.target('a/1');
    edit.target('b/1');
    edit.config(gateway, 'p');
  });
  expect(deltaOf(await stream.accept())).toEqual(delta(['default.p']));
  expect(deltaOf(await stream.accept())).toEqual(delta(['a/1', 'b/1']));
  await stream.silence();
});
