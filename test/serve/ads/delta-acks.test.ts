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

it('C16 an ACK gets no response', async () => {
  const stream = await world.following();
  await stream.silence();
  expect(world.counters.total('gatehouse_xds_acks_total', { type: targetType })).toBe(1);
});

it('C17 a NACK is recorded, and the same content is not sent again', async () => {
  world.put('a/1', 'a/2');
  const stream = world.stream().request(targetType, { node });
  stream.nack(await stream.next(), 'a/1: no');
  await stream.silence();
  world.change('a/2', 81);
  expect(deltaOf(await stream.next())).toEqual(delta(['a/2']));
  expect(world.server.nodes()[0]?.types.find(({ typeUrl }) => typeUrl === targetType)).toMatchObject({
    rejection: { nonce: '1', message: 'a/1: no', at: world.clock.now() },
  });
});

it('C18 a NACK leaves what was sent as known: only later changes are sent', async () => {
  world.put('a/1', 'a/2');
  const stream = world.stream().request(targetType, { node });
  stream.nack(await stream.next());
  await stream.silence();
  world.put('a/3');
  expect(deltaOf(await stream.accept())).toEqual(delta(['a/3']));
  world.drop('a/1');
  expect(deltaOf(await stream.accept())).toEqual(delta([], ['a/1']));
});

it('A6 an ACK or a NACK of one type changes nothing for the other', async () => {
  world.put('a/1');
  world.commit((edit) => edit.config(gateway, 'p'));
  const stream = world.stream().request(targetType, { node });
  const targets = await stream.next();
  stream.request(configType);
  const configs = await stream.next();
  stream.nack(configs, 'no').request(configType, { nonce: targets.nonce, unsubscribe: ['*'] });
  for (const response of await stream.untilSilence()) stream.ack(response);
  stream.ack(targets);
  world.change('a/1', 81);
  expect(deltaOf(await stream.accept())).toEqual(delta(['a/1']));
  const status = world.server.nodes()[0]?.types.find(({ typeUrl }) => typeUrl === targetType);
  expect(status).toMatchObject({ subscription: { wildcard: true }, counts: { nacks: 0 } });
});

it('C17 a NACK is recognised by the presence of error_detail, not by its code or message', async () => {
  const stream = world.stream().request(targetType, { node });
  stream.nack(await stream.next(), '');
  await stream.silence();
  expect(world.counters.total('gatehouse_xds_nacks_total')).toBe(1);
  expect(world.counters.total('gatehouse_xds_acks_total', { type: targetType })).toBe(0);
});

it('C17 after a NACK content that changed meanwhile is sent at once', async () => {
  world.put('a/1');
  const stream = world.stream().request(targetType, { node });
  const first = await stream.next();
  world.change('a/1', 81);
  stream.nack(first);
  const second = await stream.next();
  expect(deltaOf(second)).toEqual(delta(['a/1']));
  expect(second.versions['a/1']).not.toBe(first.versions['a/1']);
});

it('C17 the subscription of a NACK counts', async () => {
  world.put('a/1', 'a/2');
  const stream = world.stream().request(targetType, { node, subscribe: ['a/1'] });
  stream.nack(await stream.next(), 'no', { subscribe: ['a/2'] });
  expect(deltaOf(await stream.accept())).toEqual(delta(['a/2']));
});

it('C8 C17 a NACKed name is sent again when it is subscribed again', async () => {
  world.put('a/1');
  const stream = world.stream().request(targetType, { node });
  stream.nack(await stream.next());
  stream.request(targetType, { subscribe: ['a/1'] });
  expect(deltaOf(await stream.accept())).toEqual(delta(['a/1']));
});

it('G11 a NACK is cleared by the next ACK, and its message is truncated', async () => {
  world.put('a/1');
  const stream = world.stream().request(targetType, { node });
  stream.nack(await stream.next(), 'x'.repeat(100_000));
  await stream.silence();
  expect(world.server.nodes()[0]?.types[0]?.rejection?.message).toHaveLength(2048);
  world.change('a/1', 81);
  await stream.accept();
  await stream.silence();
  const [status] = world.server.nodes()[0]?.types ?? [];
  expect(status?.rejection).toBeUndefined();
  expect(status?.acked?.version).toBe(status?.sent?.version);
});

it('C19 a request with a stale nonce changes the subscription and acknowledges nothing', async () => {
  world.put('a/1', 'a/2');
  const stream = world.stream().request(targetType, { node, subscribe: ['a/1'] });
  const first = await stream.next();
  stream.request(targetType, { nonce: 'stale', subscribe: ['a/2'] });
  await stream.silence();
  stream.ack(first);
  expect(deltaOf(await stream.accept())).toEqual(delta(['a/2']));
  await stream.silence();
  expect(world.counters.total('gatehouse_xds_stale_nonces_total', { type: targetType })).toBe(1);
});

it('C20 a request without a nonce acknowledges nothing', async () => {
  world.put('a/1');
  const stream = world.stream().request(targetType, { node });
  const first = await stream.next();
  stream.request(targetType);
  world.change('a/1', 81);
  await stream.silence();
  stream.ack(first);
  expect(deltaOf(await stream.next())).toEqual(delta(['a/1']));
});

it('A14 a nonce under the wrong type acknowledges nothing', async () => {
  world.put('a/1');
  const stream = world.stream().request(targetType, { node });
  const first = await stream.next();
  stream.request(configType);
  const config = await stream.next();
  expect(config.nonce).not.toBe(first.nonce);
  stream.request(configType, { nonce: first.nonce });
  world.commit((edit) => edit.config(gateway, 'p'));
  await stream.silence();
  stream.ack(config);
  expect(deltaOf(await stream.next())).toEqual(delta(['default.p']));
});

it('C25 a repeated ACK counts once', async () => {
  const stream = world.stream().request(targetType, { node });
  const first = await stream.next();
  stream.ack(first).ack(first);
  await stream.silence();
  expect(world.counters.total('gatehouse_xds_acks_total', { type: targetType })).toBe(1);
});
