import { beforeEach, expect, it } from 'vitest';
import { configType, targetType } from '../../support/worlds/hand-made-world.ts';
import {
  delta,
  deltaOf,
  gateway,
  gatewayNode as node,
  type ServedWorld,
  startServedWorld,
} from '../../support/worlds/served-world.ts';

let world: ServedWorld;

beforeEach(async () => {
  world = await startServedWorld();
});

/** What a node knows that was told everything. */
const known = async (): Promise<Record<string, string>> => {
  const { versions } = await world.stream().request(targetType, { node }).next();
  return { ...versions };
};

it('C22 H3 a node that reconnects is sent changed, new and removed names in the first response', async () => {
  world.put('a/same', 'a/changes', 'a/goes');
  const initial = await known();
  world.change('a/changes', 81);
  world.drop('a/goes');
  world.put('a/new');
  const stream = world.stream().request(targetType, { node, initial });
  expect(deltaOf(await stream.accept())).toEqual(delta(['a/changes', 'a/new'], ['a/goes']));
  await stream.silence();
});

it('C1 C22 a node that is up to date gets an empty response', async () => {
  world.put('a/1');
  const initial = await known();
  const stream = world.stream().request(targetType, { node, initial });
  expect(deltaOf(await stream.accept())).toEqual(delta([]));
  await stream.silence();
});

it('C22 versions are hashes of the content and valid on another server', async () => {
  world.put('a/1', 'a/2');
  const initial = await known();
  const other = await startServedWorld();
  other.put('a/2', 'a/1');
  expect(deltaOf(await other.stream().request(targetType, { node, initial }).next())).toEqual(delta([]));
});

it('C23 a reported version is no subscription: the name is removed, and its changes are not sent', async () => {
  world.put('a/1', 'a/2');
  const stream = world.stream().request(targetType, { node, subscribe: ['a/1'], initial: { 'a/2': '' } });
  expect(deltaOf(await stream.accept())).toEqual(delta(['a/1'], ['a/2']));
  world.change('a/2', 81);
  await stream.silence();
});

it('C23 an empty version is unknown: existing names are sent again, others are removed', async () => {
  world.put('a/1', 'a/2');
  const stream = world.stream().request(targetType, { node, initial: { 'a/1': '', 'a/gone': '' } });
  expect(deltaOf(await stream.next())).toEqual(delta(['a/1', 'a/2'], ['a/gone']));
});

it('C22 a name that left the scope is removed', async () => {
  world.commit((edit) => edit.gateway(gateway, 'a'));
  world.put('a/1', 'b/1');
  const stream = world.stream().request(targetType, { node, initial: { 'a/1': '', 'b/1': '' } });
  expect(deltaOf(await stream.next())).toEqual(delta(['a/1'], ['b/1']));
});

it('C22 a current subscribed name is not sent, a name without a subscription is removed', async () => {
  world.put('a/1', 'a/2');
  const stream = world.stream().request(targetType, { node, subscribe: ['a/1'], initial: await known() });
  expect(deltaOf(await stream.accept())).toEqual(delta([], ['a/2']));
  world.change('a/1', 81);
  expect(deltaOf(await stream.next())).toEqual(delta(['a/1']));
});

it('C21 the versions of a later request are ignored', async () => {
  world.put('a/1');
  const stream = await world.following();
  stream.request(targetType, { initial: { 'a/gone': '', 'a/1': 'x' } });
  await stream.silence();
});

it('C21 each type has its own first request', async () => {
  const stream = world.stream().request(targetType, { node });
  await stream.accept();
  stream.request(configType, { initial: { 'default.gone': '' } });
  expect(deltaOf(await stream.accept())).toEqual(delta([], ['default.gone']));
});

it('C22 a change before the first response is part of it', async () => {
  world.put('a/1');
  const initial = await known();
  world.change('a/1', 81);
  world.change('a/1', 80);
  expect(deltaOf(await world.stream().request(targetType, { node, initial }).next())).toEqual(delta([]));
});

it('C22 C23 a gateway of spring 2025 requests both types at once, and reconnects with all names and empty versions', async () => {
  world.put('default/tool');
  world.commit((edit) => edit.config(gateway, 'policy'));
  const first = world.stream().request(targetType, { node }).request(configType, { node });
  expect(deltaOf(await first.accept())).toEqual(delta(['default/tool']));
  expect(deltaOf(await first.accept())).toEqual(delta(['default.policy']));
  await first.silence();
  first.cancel();
  world.commit((edit) => edit.noConfig(gateway, 'policy'));

  const again = world
    .stream()
    .request(targetType, { node, initial: { 'default/tool': '' } })
    .request(configType, { node, initial: { 'default.policy': '' } });
  expect(deltaOf(await again.accept())).toEqual(delta(['default/tool']));
  expect(deltaOf(await again.accept())).toEqual(delta([], ['default.policy']));
  await again.silence();
  world.commit((edit) => edit.config(gateway, 'policy'));
  expect(deltaOf(await again.accept())).toEqual(delta(['default.policy']));
});

it('all such gateways that reconnect share the bytes of one response', async () => {
  world.put('a/1', 'a/2');
  const before = world.counters.total('gatehouse_xds_assemblies_total');
  for (let index = 0; index < 5; index += 1) {
    const stream = world.stream().request(targetType, { node, initial: { 'a/1': '', 'a/2': '' } });
    expect(deltaOf(await stream.next())).toEqual(delta(['a/1', 'a/2']));
  }
  expect(world.counters.total('gatehouse_xds_assemblies_total') - before).toBe(1);
});
