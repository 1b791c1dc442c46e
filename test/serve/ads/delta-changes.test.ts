import { beforeEach, describe, expect, it } from 'vitest';
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

it('C5 a push has the changed resource only', async () => {
  world.put('a/1', 'a/2');
  const stream = await world.following();
  world.change('a/2', 81);
  expect(deltaOf(await stream.accept())).toEqual(delta(['a/2']));
  await stream.silence();
});

it('C6 a removal is sent once', async () => {
  world.put('a/1', 'a/2');
  const stream = await world.following();
  world.drop('a/2');
  expect(deltaOf(await stream.accept())).toEqual(delta([], ['a/2']));
  world.change('a/1', 81);
  expect(deltaOf(await stream.accept())).toEqual(delta(['a/1']));
});

it('C7 a change of a resource without a subscription is not sent', async () => {
  world.put('a/1', 'a/2');
  const stream = await world.following({ subscribe: ['a/1'] });
  world.change('a/2', 81);
  world.drop('a/2');
  await stream.silence();
  expect(world.server.nodes()[0]?.types[0]).toMatchObject({ counts: { responses: 1 } });
});

it('C25 C7 a change that concerns no subscribed name has no response', async () => {
  world.commit((edit) => edit.gateway(gateway, 'a'));
  world.put('a/1');
  const stream = await world.following({ subscribe: ['a/1'] });
  world.put('a/2');
  world.commit((edit) => edit.gateway(gateway));
  world.put('b/1');
  await stream.silence();
});

it('F2 changes of one commit are sent in one response', async () => {
  world.put('a/1');
  const stream = await world.following();
  world.change('a/1', 81);
  world.put('a/2');
  world.drop('a/1');
  expect(deltaOf(await stream.accept())).toEqual(delta(['a/2'], ['a/1']));
  await stream.silence();
});

it('F6 a stream watches its Gateway once, whatever it subscribed to before', async () => {
  world.put('a/1');
  const stream = await world.following();
  for (const [subscribe, unsubscribe] of [
    [['a/1'], []],
    [['*'], []],
    [[], ['*']],
    [[], ['a/1']],
    [['a/1', 'a/2'], []],
  ]) {
    stream.request(targetType, { subscribe: subscribe ?? [], unsubscribe: unsubscribe ?? [] });
    for (const response of await stream.untilSilence()) stream.ack(response);
    await stream.silence();
  }
  const before = world.counters.total('gatehouse_xds_responses_total', { type: targetType });
  world.change('a/1', 81);
  await stream.next();
  await stream.silence();
  expect(world.counters.total('gatehouse_xds_responses_total', { type: targetType }) - before).toBe(1);
});

it('F1 a commit of the same content is not sent', async () => {
  world.put('a/1');
  const stream = await world.following();
  world.put('a/1');
  world.change('a/1', 80);
  await stream.silence();
});

it('F1 a change that is reverted before the ACK is not sent', async () => {
  world.put('a/1');
  const stream = world.stream().request(targetType, { node });
  const first = await stream.next();
  world.change('a/1', 81);
  world.change('a/1', 80);
  stream.ack(first);
  await stream.silence();
});

it('E2 a change of both types is sent with the Config first', async () => {
  const stream = await world.following();
  stream.request(configType);
  await stream.accept();
  await stream.silence();
  world.commit((edit) => {
    edit.target('a/1');
    edit.config(gateway, 'p');
  });
  expect([(await stream.next()).typeUrl, (await stream.next()).typeUrl]).toEqual([configType, targetType]);
});

it('A6 C26 a change of one type does not wait for the ACK of the other', async () => {
  const stream = world.stream().request(targetType, { node });
  await stream.next();
  stream.request(configType);
  await stream.accept();
  world.commit((edit) => edit.config(gateway, 'p'));
  expect((await stream.accept()).typeUrl).toBe(configType);
});

it('I1 a change outside the scope of the Gateway is never sent, not even by name', async () => {
  world.commit((edit) => edit.gateway(gateway, 'a'));
  world.put('a/1', 'b/1');
  const stream = world.stream().request(targetType, { node, subscribe: ['*', 'b/1'] });
  expect(deltaOf(await stream.accept())).toEqual(delta(['a/1'], ['b/1']));
  world.change('b/1', 81);
  await stream.silence();
});

it('B26 a change of the scope is a creation and a deletion', async () => {
  world.commit((edit) => edit.gateway(gateway, 'a'));
  world.put('a/1', 'b/1');
  const stream = await world.following();
  world.commit((edit) => edit.gateway(gateway, 'b'));
  expect(deltaOf(await stream.accept())).toEqual(delta(['b/1'], ['a/1']));
});

describe('while a response is unacknowledged', () => {
  it('C26 a thousand changes become one response with the final states', async () => {
    world.put('a/1', 'a/2', 'a/3');
    const stream = world.stream().request(targetType, { node });
    const first = await stream.next();
    for (let port = 1000; port < 2000; port += 1) world.change('a/1', port);
    world.drop('a/2');
    world.drop('a/3');
    world.put('a/3');
    await stream.silence();
    stream.ack(first);
    const second = await stream.accept();
    expect(deltaOf(second)).toEqual(delta(['a/1'], ['a/2']));
    await stream.silence();
    const fresh = await world.stream().request(targetType, { node }).next();
    expect(fresh.versions['a/1']).toBe(second.versions['a/1']);
  });

  it('C27 a change is not lost, and a name that was removed and added is sent in its final state', async () => {
    world.put('a/1');
    const stream = world.stream().request(targetType, { node });
    const first = await stream.next();
    world.drop('a/1');
    world.change('a/1', 81);
    stream.ack(first);
    expect(deltaOf(await stream.accept())).toEqual(delta(['a/1']));
  });

  it('C26 G1 for longer than the ACK timeout, its stream ends DEADLINE_EXCEEDED', async () => {
    const stream = world.stream().request(targetType, { node });
    await stream.next();
    world.clock.advance(29_999);
    expect(world.server.nodes()).toHaveLength(1);
    world.clock.advance(1);
    expect(await stream.ended()).toMatchObject({
      code: 'DEADLINE_EXCEEDED',
      message: expect.stringContaining(targetType),
    });
    expect(world.server.nodes()).toHaveLength(0);
    expect(world.counters.total('gatehouse_xds_streams_ended_total', { code: 'DEADLINE_EXCEEDED' })).toBe(1);
  });

  it('C26 an ACK in time stops the timeout', async () => {
    const stream = world.stream().request(targetType, { node });
    const response = await stream.next();
    world.clock.advance(29_000);
    stream.ack(response);
    await stream.silence();
    world.clock.advance(2_000);
    expect(world.server.nodes()).toMatchObject([{ types: [{ acked: { nonce: response.nonce } }, {}] }]);
  });
});
