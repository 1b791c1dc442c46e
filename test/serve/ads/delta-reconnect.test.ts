import { afterEach, beforeEach, expect, it } from 'vitest';
import { configType, targetType } from '../../support/worlds/hand-made-world.ts';
import {
  createServedWorld,
  gateway,
  gatewayNode as node,
  type ServedWorld,
  said,
  says,
} from '../../support/worlds/served-world.ts';

let world: ServedWorld;

beforeEach(async () => {
  world = await createServedWorld();
  world.commit((edit) => edit.gateway(gateway));
});
afterEach(() => world.close());

/** What a node knows that was told everything. */
const known = async (): Promise<Record<string, string>> => {
  const { versions } = await world.stream().request(targetType, { node }).next();
  return { ...versions };
};

it('C22 H3 a node that reconnects is sent what differs, what is new and what is gone, in the first response', async () => {
  world.put('a/same', 'a/changes', 'a/goes');
  const initial = await known();
  world.change('a/changes', 81);
  world.drop('a/goes');
  world.put('a/new');
  const stream = world.stream().request(targetType, { node, initial });
  expect(said(await stream.accept())).toEqual(says(['a/changes', 'a/new'], ['a/goes']));
  await stream.silence();
});

it('C1 C22 a node that is up to date is answered with nothing', async () => {
  world.put('a/1');
  const initial = await known();
  const stream = world.stream().request(targetType, { node, initial });
  expect(said(await stream.accept())).toEqual(says([]));
  await stream.silence();
});

it('C22 versions are those of the content: they mean the same to another server', async () => {
  world.put('a/1', 'a/2');
  const initial = await known();
  const other = await createServedWorld();
  try {
    other.commit((edit) => edit.gateway(gateway));
    other.put('a/2', 'a/1');
    expect(said(await other.stream().request(targetType, { node, initial }).next())).toEqual(says([]));
  } finally {
    await other.close();
  }
});

it('C23 a version is no subscription: the name is told to be gone, and its changes are not sent', async () => {
  world.put('a/1', 'a/2');
  const stream = world.stream().request(targetType, { node, subscribe: ['a/1'], initial: { 'a/2': '' } });
  expect(said(await stream.accept())).toEqual(says(['a/1'], ['a/2']));
  world.change('a/2', 81);
  await stream.silence();
});

it('C23 an empty version says nothing but the name: what exists is sent again, what is gone is removed', async () => {
  world.put('a/1', 'a/2');
  const stream = world.stream().request(targetType, { node, initial: { 'a/1': '', 'a/gone': '' } });
  expect(said(await stream.next())).toEqual(says(['a/1', 'a/2'], ['a/gone']));
});

it('C22 what left the scope is gone', async () => {
  world.commit((edit) => edit.gateway(gateway, 'a'));
  world.put('a/1', 'b/1');
  const stream = world.stream().request(targetType, { node, initial: { 'a/1': '', 'b/1': '' } });
  expect(said(await stream.next())).toEqual(says(['a/1'], ['b/1']));
});

it('C22 a name that is subscribed and current is not sent, one that is not wanted is removed', async () => {
  world.put('a/1', 'a/2');
  const stream = world.stream().request(targetType, { node, subscribe: ['a/1'], initial: await known() });
  expect(said(await stream.accept())).toEqual(says([], ['a/2']));
  world.change('a/1', 81);
  expect(said(await stream.next())).toEqual(says(['a/1']));
});

it('C21 the versions of a later message are not read', async () => {
  world.put('a/1');
  const stream = await world.following();
  stream.request(targetType, { initial: { 'a/gone': '', 'a/1': 'x' } });
  await stream.silence();
});

it('C21 each type has a first message of its own', async () => {
  const stream = world.stream().request(targetType, { node });
  await stream.accept();
  stream.request(configType, { initial: { 'default.gone': '' } });
  expect(said(await stream.accept())).toEqual(says([], ['default.gone']));
});

it('C22 a change that comes before the first answer is in it', async () => {
  world.put('a/1');
  const initial = await known();
  world.change('a/1', 81);
  world.change('a/1', 80);
  expect(said(await world.stream().request(targetType, { node, initial }).next())).toEqual(says([]));
});

it('C22 C23 a binary of spring 2025 asks for both types at once, and comes back with every name and no version', async () => {
  world.put('default/tool');
  world.commit((edit) => edit.config(gateway, 'policy'));
  const first = world.stream().request(targetType, { node }).request(configType, { node });
  expect(said(await first.accept())).toEqual(says(['default/tool']));
  expect(said(await first.accept())).toEqual(says(['default.policy']));
  await first.silence();
  first.cancel();
  world.commit((edit) => edit.noConfig(gateway, 'policy'));

  const again = world
    .stream()
    .request(targetType, { node, initial: { 'default/tool': '' } })
    .request(configType, { node, initial: { 'default.policy': '' } });
  expect(said(await again.accept())).toEqual(says(['default/tool']));
  expect(said(await again.accept())).toEqual(says([], ['default.policy']));
  await again.silence();
  world.commit((edit) => edit.config(gateway, 'policy'));
  expect(said(await again.accept())).toEqual(says(['default.policy']));
});

it('a whole fleet of them that comes back shares the bytes of one response', async () => {
  world.put('a/1', 'a/2');
  const before = world.counters.total('gatehouse_xds_assemblies_total');
  for (let index = 0; index < 5; index += 1) {
    const stream = world.stream().request(targetType, { node, initial: { 'a/1': '', 'a/2': '' } });
    expect(said(await stream.next())).toEqual(says(['a/1', 'a/2']));
  }
  expect(world.counters.total('gatehouse_xds_assemblies_total') - before).toBe(1);
});
