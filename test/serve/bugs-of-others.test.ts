import { beforeEach, expect, it } from 'vitest';
import { Target } from '../../src/gen/mcp/kgateway/dev/target/v1alpha1/target.ts';
import type { AdsResponse } from '../support/nodes/ads-client.ts';
import { configType, targetType } from '../support/worlds/hand-made-world.ts';
import {
  delta,
  deltaOf,
  gateway,
  gatewayNode as node,
  nodeOf,
  type ServedWorld,
  startServedWorld,
} from '../support/worlds/served-world.ts';

let world: ServedWorld;

beforeEach(async () => {
  world = await startServedWorld();
});

const variants = ['delta', 'state-of-the-world'] as const;
const state = { variant: 'state-of-the-world' } as const;
/** The names of the targets of a state-of-the-world response. */
const names = ({ messages }: AdsResponse): string[] => messages.map((message) => Target.decode(message).name);

it.each(variants)('J1 B7 C17 a NACKed snapshot is not sent again in an endless loop (%s)', async (variant) => {
  world.put('a/1');
  const stream = world.stream({ variant }).request(targetType, { node });
  const response = await stream.next();
  for (let index = 0; index < 20; index += 1) stream.nack(response);
  await stream.silence();
  world.put('a/2');
  stream.nack(await stream.next());
  await stream.silence();
  expect(world.counters.total('gatehouse_xds_responses_total', { type: targetType })).toBe(2);
});

it('J2 B6 error_detail is read, although version and nonce are those of an ACK', async () => {
  world.put('a/1');
  const stream = world.stream(state).request(targetType, { node });
  const { nonce, version } = await stream.next();
  stream.request(targetType, { nonce, version, error: 'no' });
  await stream.silence();
  expect(world.server.nodes()[0]?.types.find(({ typeUrl }) => typeUrl === targetType)).toMatchObject({
    rejection: { nonce, message: 'no' },
    counts: { acks: 0, nacks: 1 },
  });
});

it('J3 J4 C2 C3 a missing resource is sent as removed, and its subscription stays', async () => {
  const stream = world.stream().request(targetType, { node, subscribe: ['a/1', 'a/2'] });
  expect(deltaOf(await stream.accept())).toEqual(delta([], ['a/1', 'a/2']));
  world.put('a/2');
  expect(deltaOf(await stream.accept())).toEqual(delta(['a/2']));
  world.put('a/1');
  expect(deltaOf(await stream.accept())).toEqual(delta(['a/1']));
});

it('J5 C8 a resource that is subscribed again is answered', async () => {
  world.put('a/1');
  const stream = await world.following({ subscribe: ['a/1'] });
  for (let index = 0; index < 3; index += 1) {
    stream.request(targetType, { subscribe: ['a/1'] });
    expect(deltaOf(await stream.accept())).toEqual(delta(['a/1']));
  }
});

it('J6 B19 a subscribed name that a later commit adds is sent', async () => {
  const list = { names: ['a/1', 'a/2'] };
  world.put('a/1');
  const stream = world.stream(state).request(targetType, { node, ...list });
  await stream.accept(list);
  await stream.silence();
  world.put('a/2');
  expect(names(await stream.accept(list))).toEqual(['a/1', 'a/2']);
});

it('J7 C27 a name subscribed during an unacknowledged response is kept up to date', async () => {
  world.put('a/1', 'a/2');
  const stream = world.stream().request(targetType, { node, subscribe: ['a/1'] });
  const first = await stream.next();
  stream.request(targetType, { subscribe: ['a/2'] });
  world.change('a/2', 81);
  stream.ack(first);
  expect(deltaOf(await stream.accept())).toEqual(delta(['a/2']));
  for (const port of [82, 83]) {
    world.change('a/2', port);
    expect(deltaOf(await stream.accept())).toEqual(delta(['a/2']));
  }
});

it('J8 F4 a node that neither reads nor answers delays no commit and no other node', async () => {
  const deaf = world.stream().request(targetType, { node });
  await deaf.next();
  deaf.stopReading();
  const other = await world.following();
  for (let port = 1000; port < 1100; port += 1) {
    world.change('a/1', port);
    expect(deltaOf(await other.accept())).toEqual(delta(['a/1']));
  }
});

it('J9 F6 a replaced list of names leaves no watch behind', async () => {
  world.put('a/1', 'a/2', 'a/3');
  const stream = world.stream(state).request(targetType, { node, names: ['a/1', 'a/2'] });
  let last = await stream.next();
  for (const list of [
    ['a/2', 'a/3'],
    ['a/3', 'a/1'],
    ['a/1', 'a/2'],
  ]) {
    stream.ack(last, { names: list });
    last = await stream.next();
    expect(names(last).sort()).toEqual(list.toSorted());
  }
  stream.ack(last, { names: ['a/1'] });
  await stream.silence();
  world.change('a/2', 81);
  world.change('a/3', 81);
  await stream.silence();
  expect(world.server.nodes()[0]?.types[0]?.subscription).toEqual({ wildcard: false, names: ['a/1'] });
});

it('J10 C22 a removal while a node was disconnected is sent when it reconnects', async () => {
  world.put('a/1', 'a/2');
  const { versions: initial } = await world.stream().request(targetType, { node }).next();
  world.drop('a/2');
  expect(deltaOf(await world.stream().request(targetType, { node, initial }).next())).toEqual(delta([], ['a/2']));
});

it('J11 A8 E8 a node that reconnects is answered from the current snapshot, whatever its old stream was sent', async () => {
  world.put('a/1');
  const old = await world.following();
  world.put('a/2');
  await old.next();
  world.put('a/3');
  const again = world.stream().request(targetType, { node });
  old.cancel();
  expect(deltaOf(await again.accept())).toEqual(delta(['a/1', 'a/2', 'a/3']));
  world.put('a/4');
  expect(deltaOf(await again.next())).toEqual(delta(['a/4']));
});

it('J12 A11 the stream of a node that disappeared ends with the ACK timeout', async () => {
  world.put('a/1');
  const stream = world.stream().request(targetType, { node });
  await stream.next();
  stream.stopReading();
  world.clock.advance(30_000);
  expect(world.server.nodes()).toEqual([]);
});

it.each(variants)('J13 B3 G2 no node is sent an empty snapshot before the first sync (%s)', async (variant) => {
  world.ready = false;
  const stream = world.stream({ variant }).request(targetType, { node });
  await expect(stream.next()).rejects.toThrow('UNAVAILABLE');
});

it('J14 E6 a policy for a target that does not exist delays nothing', async () => {
  const stream = await world.following();
  stream.request(configType);
  await stream.accept();
  await stream.silence();
  world.commit((edit) => {
    edit.config(gateway, 'for-a-missing-target');
    edit.target('a/1');
  });
  expect(deltaOf(await stream.accept())).toEqual(delta(['default.for-a-missing-target']));
  expect(deltaOf(await stream.accept())).toEqual(delta(['a/1']));
});

it('J15 B23 C12 unsubscribing from the last name is no wildcard', async () => {
  world.put('a/1', 'a/2');
  const delta = await world.following({ subscribe: ['a/1'] });
  delta.request(targetType, { unsubscribe: ['a/1'] });
  const list = world.stream(state).request(targetType, { node, names: ['a/1'] });
  list.ack(await list.next(), { names: [] });
  await list.silence();
  world.change('a/1', 81);
  world.change('a/2', 81);
  await delta.silence();
  await list.silence();
});

it.each(variants)('J16 A14 two responses of one version have different nonces (%s)', async (variant) => {
  world.put('a/1');
  const stream = world.stream({ variant }).request(targetType, { node });
  const nonces = [(await stream.accept()).nonce];
  await stream.silence();
  for (const port of [81, 80]) {
    world.change('a/1', port);
    nonces.push((await stream.accept()).nonce);
  }
  expect(new Set(nonces).size).toBe(3);
});

it('J17 E5 a node that reconnects with all names is answered for each type at once, in any order', async () => {
  world.put('a/1');
  world.commit((edit) => edit.config(gateway, 'p'));
  const first = world.stream().request(targetType, { node }).request(configType);
  const targets = (await first.next()).versions;
  const configs = (await first.next()).versions;
  for (const types of [
    [targetType, configType],
    [configType, targetType],
  ]) {
    const again = world.stream();
    for (const type of types) again.request(type, { node, initial: type === targetType ? targets : configs });
    for (const type of types) expect(await again.next()).toMatchObject({ typeUrl: type, names: [], removed: [] });
  }
});

it('J18 B9 B12 A14 requests that cross responses lose no update', async () => {
  world.put('a/1');
  const list = { names: ['a/1', 'a/2'] };
  const stream = world.stream(state).request(targetType, { node, names: ['a/1'] });
  let last = await stream.next();
  for (let port = 1000; port < 1010; port += 1) {
    world.change('a/2', port);
    // A request with the previous nonce, the same ACK twice, then the request that counts.
    stream.request(targetType, { nonce: '0', names: ['a/1'] });
    stream.ack(last, list).ack(last, list);
    last = await stream.next();
    expect(names(last)).toEqual(['a/1', 'a/2']);
  }
  stream.ack(last, list);
  await stream.silence();
});

it('J19 F2 F3 a response for many nodes is built once, and the changes of many commits are sent once', async () => {
  const gateways = Array.from({ length: 10 }, (_, index) => `default/gw-${index}`);
  world.commit((edit) => {
    for (const name of gateways) edit.gateway(name);
  });
  const fleet = await Promise.all(gateways.map((name) => world.following({ node: nodeOf(name) })));
  const total = (name: 'gatehouse_xds_assemblies_total' | 'gatehouse_xds_responses_total'): number =>
    world.counters.total(name, name === 'gatehouse_xds_responses_total' ? { type: targetType } : {});
  const before = [total('gatehouse_xds_assemblies_total'), total('gatehouse_xds_responses_total')];
  for (let port = 1000; port < 1050; port += 1) world.change('a/1', port);
  for (const stream of fleet) expect(deltaOf(await stream.accept())).toEqual(delta(['a/1']));
  const after = [total('gatehouse_xds_assemblies_total'), total('gatehouse_xds_responses_total')];
  expect(after.map((count, index) => count - (before[index] ?? 0))).toEqual([1, 10]);
  for (const stream of fleet) await stream.silence();
});
