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

it('C8 a name that is subscribed again is sent again', async () => {
  world.put('a/1', 'a/2');
  for (const fields of [{}, { subscribe: ['a/1', 'a/2'] }]) {
    const stream = await world.following(fields);
    stream.request(targetType, { subscribe: ['a/1', 'a/none'] });
    expect(deltaOf(await stream.accept())).toEqual(delta(['a/1'], ['a/none']));
    await stream.silence();
  }
});

it('C8 a repeated * sends all resources again, and removals since then', async () => {
  world.put('a/1', 'a/2');
  const stream = world.stream().request(targetType, { node });
  const first = await stream.next();
  stream.request(targetType, { subscribe: ['*'] });
  world.drop('a/2');
  stream.ack(first);
  expect(deltaOf(await stream.accept())).toEqual(delta(['a/1'], ['a/2']));
  await stream.silence();
});

it('C9 unsubscribing has no response and stops pushes; subscribing again sends', async () => {
  world.put('a/1', 'a/2');
  const stream = await world.following({ subscribe: ['a/1', 'a/2'] });
  stream.request(targetType, { unsubscribe: ['a/1'] });
  await stream.silence();
  world.change('a/1', 81);
  await stream.silence();
  stream.request(targetType, { subscribe: ['a/1'] });
  expect(deltaOf(await stream.accept())).toEqual(delta(['a/1']));
});

it('C11 a name unsubscribed under a wildcard is answered with its current state', async () => {
  world.put('a/1');
  const stream = await world.following({ subscribe: ['*', 'a/1', 'a/none'] });
  stream.request(targetType, { unsubscribe: ['a/1', 'a/none'] });
  expect(deltaOf(await stream.accept())).toEqual(delta(['a/1'], ['a/none']));
});

it('C12 the legacy wildcard stays when a name is added, and ends when * is unsubscribed', async () => {
  world.put('a/1', 'a/2');
  const stream = await world.following();
  stream.request(targetType, { subscribe: ['a/1'] });
  await stream.accept();
  world.change('a/2', 81);
  expect(deltaOf(await stream.accept())).toEqual(delta(['a/2']));
  stream.request(targetType, { unsubscribe: ['*'] });
  expect(deltaOf(await stream.accept())).toEqual(delta([], ['a/2']));
  world.change('a/2', 82);
  await stream.silence();
  world.change('a/1', 82);
  expect(deltaOf(await stream.accept())).toEqual(delta(['a/1']));
  stream.request(targetType, { unsubscribe: ['a/1'] });
  await stream.silence();
  world.change('a/1', 83);
  await stream.silence();
});

it('C13 names that only * covered are removed, and sent again with a new *', async () => {
  world.put('a/1');
  const stream = await world.following();
  stream.request(targetType, { unsubscribe: ['*'] });
  expect(deltaOf(await stream.accept())).toEqual(delta([], ['a/1']));
  stream.request(targetType, { subscribe: ['*'] });
  expect(deltaOf(await stream.accept())).toEqual(delta(['a/1']));
});

it('C6 a name removed while * is subscribed is sent as removed once', async () => {
  world.put('a/1', 'a/2');
  const stream = world.stream().request(targetType, { node, subscribe: ['a/1', 'a/none'] });
  const first = await stream.next();
  stream.request(targetType, { subscribe: ['*'] });
  world.drop('a/1');
  stream.ack(first);
  expect(deltaOf(await stream.accept())).toEqual(delta(['a/2'], ['a/1']));
});

it('C27 a name unsubscribed and subscribed again while it is in flight is removed when it is deleted', async () => {
  world.put('a/1', 'a/2');
  const stream = await world.following({ subscribe: ['*', 'a/2'] });
  stream.request(targetType, { subscribe: ['*', 'a/2'] });
  const onItsWay = await stream.next();
  expect(deltaOf(onItsWay)).toEqual(delta(['a/1', 'a/2']));
  stream.request(targetType, { unsubscribe: ['*'] });
  stream.request(targetType, { unsubscribe: ['a/2'] });
  stream.request(targetType, { subscribe: ['*'] });
  world.drop('a/2');
  stream.ack(onItsWay);
  expect(deltaOf(await stream.accept())).toEqual(delta(['a/1'], ['a/2']));
  await stream.silence();
});

it('A6 a subscription of one type changes nothing for the other', async () => {
  world.put('a/1');
  world.commit((edit) => edit.config(gateway, 'p'));
  const stream = await world.following();
  stream.request(configType);
  await stream.accept();
  stream.request(configType, { unsubscribe: ['*'] });
  await stream.accept();
  world.change('a/1', 81);
  expect(deltaOf(await stream.accept())).toEqual(delta(['a/1']));
});
