import { beforeEach, describe, expect, it } from 'vitest';
import { Target } from '../../../src/gen/mcp/kgateway/dev/target/v1alpha1/target.ts';
import type { AdsRequestFields, AdsResponse, AdsStream } from '../../support/nodes/ads-client.ts';
import { configType, targetType } from '../../support/worlds/hand-made-world.ts';
import { gateway, gatewayNode as node, type ServedWorld, startServedWorld } from '../../support/worlds/served-world.ts';

let world: ServedWorld;

beforeEach(async () => {
  world = await startServedWorld();
});

const names = ({ messages }: AdsResponse): string[] => messages.map((bytes) => Target.decode(bytes).name).sort();
const open = (fields: AdsRequestFields = {}): AdsStream =>
  world.stream({ variant: 'state-of-the-world' }).request(targetType, { node, ...fields });
/** Accepts the next response with the same list of names. */
const accepted = async (stream: AdsStream, fields: AdsRequestFields = {}): Promise<string[]> =>
  names(await stream.accept(fields));

describe('the first request of a type', () => {
  it('B1 E7 is answered at once with all subscribed resources, whether or not it names all that exist', async () => {
    world.put('a/1', 'a/2');
    expect(names(await open().next())).toEqual(['a/1', 'a/2']);
    expect(names(await open({ names: ['a/2', 'a/none'] }).next())).toEqual(['a/2']);
  });

  it('B2 is answered with an empty response when there are no resources', async () => {
    expect(names(await open().next())).toEqual([]);
    expect(names(await open({ names: ['a/none'] }).next())).toEqual([]);
  });

  it('A12 has its type in the response and in every resource', async () => {
    world.put('a/1');
    const response = await open().next();
    expect([response.typeUrl, ...response.resourceTypes]).toEqual([targetType, targetType]);
  });

  it('A15 B27 of a node that reconnects is answered with all resources', async () => {
    world.put('a/1');
    const { version, nonce } = await open().next();
    expect(names(await open({ version, nonce }).next())).toEqual(['a/1']);
  });
});

describe('a change', () => {
  it('B15 sends all resources, changed or not, in one response', async () => {
    world.put(...Array.from({ length: 100 }, (_, index) => `a/${index}`));
    const stream = open();
    await stream.accept();
    world.change('a/50', 81);
    expect(await accepted(stream)).toHaveLength(100);
    await stream.silence();
  });

  it('B4 changes the version; the same content has the same version on every stream', async () => {
    world.put('a/1');
    const stream = open();
    const first = await stream.accept();
    world.change('a/1', 81);
    const second = await stream.accept();
    world.change('a/1', 80);
    const third = await stream.accept();
    expect(second.version).not.toBe(first.version);
    expect(third.version).toBe(first.version);
    expect((await open().next()).version).toBe(first.version);
  });

  it('B17 that removes a resource, even the last one, sends a response without it', async () => {
    world.put('a/1', 'a/2');
    const stream = open();
    await stream.accept();
    world.drop('a/1');
    expect(await accepted(stream)).toEqual(['a/2']);
    world.drop('a/2');
    expect(await accepted(stream)).toEqual([]);
  });

  it('B19 B20 is sent to nodes subscribed to its name, also if it is created later, and not after they unsubscribe', async () => {
    const list = { names: ['a/1', 'a/later'] };
    const stream = open(list);
    await stream.accept(list);
    world.put('a/later');
    const response = await stream.next();
    expect(names(response)).toEqual(['a/later']);
    stream.ack(response, { names: ['a/1'] });
    await stream.silence();
    world.change('a/later', 81);
    await stream.silence();
  });

  it('C26 during an unacknowledged response merges with later changes', async () => {
    world.put('a/1');
    const stream = open();
    const first = await stream.next();
    for (let port = 1000; port < 1100; port += 1) world.change('a/1', port);
    await stream.silence();
    stream.ack(first);
    const second = await stream.accept();
    expect(Target.decode(second.messages[0] ?? Buffer.alloc(0)).port).toBe(1099);
    await stream.silence();
  });

  it('is encoded once for all wildcard subscriptions', async () => {
    const fleet = Array.from({ length: 5 }, () => open());
    for (const stream of fleet) await stream.accept();
    for (const stream of fleet) await stream.silence();
    const before = world.counters.total('gatehouse_xds_assemblies_total');
    world.put('a/1');
    for (const stream of fleet) expect(names(await stream.next())).toEqual(['a/1']);
    expect(world.counters.total('gatehouse_xds_assemblies_total') - before).toBe(1);
  });
});

describe('the list of names', () => {
  it('B13 B14 with an added name is answered although nothing changed', async () => {
    world.put('a/1', 'a/2');
    const stream = open({ names: ['a/1'] });
    const first = await stream.next();
    stream.ack(first, { names: ['a/1', 'a/2'] });
    const second = await stream.accept({ names: ['a/1', 'a/2'] });
    expect(names(second)).toEqual(['a/1', 'a/2']);
    expect(second.version).toBe(first.version);
    await stream.silence();
  });

  it('B13 with a name that the wildcard covered is answered with it again', async () => {
    world.put('a/1', 'a/2');
    const stream = open();
    const everything = await stream.next();
    stream.ack(everything, { names: ['a/1'] });
    expect(await accepted(stream, { names: ['a/1'] })).toEqual(['a/1']);
    await stream.silence();
  });

  it('B12 without a name drops its pending change', async () => {
    world.put('a/1', 'a/2');
    const stream = open({ names: ['a/1', 'a/2'] });
    const first = await stream.next();
    world.change('a/1', 81);
    stream.ack(first, { names: ['a/2'] });
    await stream.silence();
  });

  it('B21 with a name that was dropped before is answered with it again', async () => {
    world.put('a/1', 'a/2');
    const both = { names: ['a/1', 'a/2'] };
    const stream = open(both);
    const first = await stream.next();
    stream.ack(first, { names: ['a/2'] });
    await stream.silence();
    stream.ack(first, both);
    expect(await accepted(stream, both)).toEqual(['a/1', 'a/2']);
  });
});

describe('a list without existing names', () => {
  it('B22 B23 that is empty is a wildcard at first, and an empty subscription later', async () => {
    world.put('a/1', 'a/2');
    const stream = open();
    const everything = await stream.next();
    stream.ack(everything, { names: ['*', 'a/1'] });
    const again = await stream.next();
    expect(names(again)).toEqual(['a/1', 'a/2']);
    stream.ack(again, { names: ['a/1'] });
    await stream.silence();
    world.change('a/2', 81);
    await stream.silence();
    stream.ack(again, { names: [] });
    await stream.silence();
    world.change('a/1', 81);
    await stream.silence();
    stream.ack(again, { names: ['*'] });
    expect(await accepted(stream, { names: ['*'] })).toEqual(['a/1', 'a/2']);
  });

  it('B25 with the empty name subscribes to nothing that exists', async () => {
    world.put('a/1');
    const stream = open({ names: ['a/1'] });
    const first = await stream.next();
    stream.ack(first, { names: [''] });
    const second = await stream.accept({ names: [''] });
    expect(names(second)).toEqual([]);
    world.change('a/1', 81);
    await stream.silence();
  });
});

describe('the scope of the Gateway', () => {
  it('B26 is what the wildcard covers, also after it changes', async () => {
    world.commit((edit) => edit.gateway(gateway, 'a'));
    world.put('a/1', 'b/1');
    const stream = open();
    expect(await accepted(stream)).toEqual(['a/1']);
    world.commit((edit) => edit.gateway(gateway, 'b'));
    expect(await accepted(stream)).toEqual(['b/1']);
  });

  it('I1 hides resources outside it, also from nodes that name them', async () => {
    world.commit((edit) => edit.gateway(gateway, 'a'));
    world.put('a/1', 'b/1');
    const stream = open({ names: ['a/1', 'b/1'] });
    expect(await accepted(stream, { names: ['a/1', 'b/1'] })).toEqual(['a/1']);
    world.change('b/1', 81);
    await stream.silence();
  });
});

it('B5 an ACK gets no response', async () => {
  world.put('a/1');
  const stream = open();
  const first = await stream.accept();
  await stream.silence();
  stream.ack(first);
  await stream.silence();
});

it('B6 a NACK is recognised by error_detail, although it names the version that was sent', async () => {
  world.put('a/1', 'a/2');
  const stream = open({ names: ['a/1'] });
  const first = await stream.next();
  stream.ack(first, { names: ['a/1', 'a/2'] });
  const second = await stream.next();
  stream.nack(second, 'no', { names: ['a/1', 'a/2'] });
  await stream.silence();
  expect(world.counters.total('gatehouse_xds_nacks_total')).toBe(1);
});

it('B7 after a NACK the same content is not sent again, new content is', async () => {
  world.put('a/1');
  const stream = open();
  stream.nack(await stream.next());
  await stream.silence();
  world.change('a/1', 81);
  expect(names(await stream.next())).toEqual(['a/1']);
});

it('B7 after a NACK content that changed meanwhile is sent at once', async () => {
  world.put('a/1');
  const stream = open();
  const first = await stream.next();
  world.change('a/1', 81);
  stream.nack(first);
  expect((await stream.next()).version).not.toBe(first.version);
});

it('B8 a NACK may change the list of names', async () => {
  world.put('a/1', 'a/2');
  const stream = open({ names: ['a/1'] });
  stream.nack(await stream.next(), 'no', { names: ['a/1', 'a/2'] });
  expect(names(await stream.next())).toEqual(['a/1', 'a/2']);
});

it('B9 B10 a request with a stale nonce changes nothing; the list of the next one counts', async () => {
  world.put('a/1', 'a/2');
  const stream = open({ names: ['a/1'] });
  const first = await stream.accept({ names: ['a/1'] });
  await stream.silence();
  world.change('a/1', 81);
  const second = await stream.next();
  stream.ack(first, { names: ['a/1', 'a/2'] });
  await stream.silence();
  stream.ack(second, { names: ['a/1', 'a/2'] });
  expect(await accepted(stream, { names: ['a/1', 'a/2'] })).toEqual(['a/1', 'a/2']);
  expect(world.counters.total('gatehouse_xds_stale_nonces_total')).toBe(1);
});

it('B9 a request with a stale nonce neither adds nor drops a name', async () => {
  world.put('a/1', 'a/2');
  const stream = open({ names: ['a/1'] });
  const first = await stream.accept({ names: ['a/1'] });
  await stream.silence();
  world.change('a/1', 81);
  const second = await stream.next();
  stream.ack(first, { names: ['a/2'] }).ack(second, { names: ['a/1'] });
  await stream.silence();
});

it('B11 a request without a nonce, after a response was sent, is stale', async () => {
  world.put('a/1', 'a/2');
  const stream = open({ names: ['a/1'] });
  const first = await stream.next();
  stream.request(targetType, { names: ['a/2'] });
  await stream.silence();
  stream.ack(first, { names: ['a/1'] });
  await stream.silence();
});

it('A1 clients of both variants mix on one server', async () => {
  const delta = await world.following();
  const state = open();
  await state.accept();
  await state.silence();
  world.put('a/1');
  expect((await delta.next()).names).toEqual(['a/1']);
  expect(names(await state.next())).toEqual(['a/1']);
  expect(world.server.nodes().map(({ variety }) => variety)).toEqual(['delta', 'state-of-the-world']);
});

it('E2 Configs are sent before Targets', async () => {
  const stream = open();
  await stream.accept();
  stream.request(configType);
  await stream.accept();
  await stream.silence();
  world.commit((edit) => {
    edit.target('a/1');
    edit.config(gateway, 'p');
  });
  expect([(await stream.next()).typeUrl, (await stream.next()).typeUrl]).toEqual([configType, targetType]);
});
