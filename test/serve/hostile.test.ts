import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { status } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import type { AdsStream } from '../support/nodes/ads-client.ts';
import { createRawConnection, grpcFrame, type RawConnection } from '../support/nodes/raw-stream.ts';
import { deltaRequest, lengthDelimited } from '../support/nodes/requests.ts';
import { targetType } from '../support/worlds/hand-made-world.ts';
import {
  delta,
  deltaOf,
  gateway,
  gatewayNode as node,
  nodeOf,
  type ServedWorld,
  startServedWorld,
} from '../support/worlds/served-world.ts';

const mebibyte = 1 << 20;
let world: ServedWorld;
let neighbour: AdsStream;

beforeEach(async () => {
  world = await startServedWorld({ maxUnfinishedRequests: 16 * mebibyte });
  neighbour = await world.following();
});

/** Checks that another node is served as before. */
afterEach(async () => {
  world.put('a/for-the-neighbour');
  expect(deltaOf(await neighbour.accept())).toEqual(delta(['a/for-the-neighbour']));
});

function raw(window?: number): RawConnection {
  const connection = createRawConnection(world.address, window);
  onTestFinished(() => connection.close());
  return connection;
}

/** Collects garbage and returns the bytes of all buffers that are still referenced. */
function held(): number {
  setFlagsFromString('--expose-gc');
  const collect: unknown = runInNewContext('gc');
  if (typeof collect === 'function') collect();
  return process.memoryUsage().arrayBuffers;
}

/** Waits until the server has this many streams and the neighbour has ACKed everything, so that the clock may advance. */
async function untilStreams(count: number): Promise<void> {
  const probe = await world.following();
  const owesAnAnswer = (): boolean =>
    world.server.nodes()[0]?.types.some(({ inFlightSince }) => inFlightSince !== undefined) ?? true;
  while (world.counters.level('gatehouse_xds_streams') < count + 1 || owesAnAnswer()) await probe.silence();
  probe.cancel();
  await probe.ended();
}

/** Waits until the server has processed all events and only the stream of the neighbour is left. */
async function onlyTheNeighbourIsLeft(): Promise<void> {
  while (world.counters.level('gatehouse_xds_streams') > 1) await neighbour.silence();
  expect(world.server.nodes()).toHaveLength(1);
}

const request = deltaRequest({ typeUrl: targetType, node });

/** Waits for the reset of a stream and returns its error code. */
const cancel = 8;

/** Initial versions of this many names of fifty bytes that do not exist. */
function versions(count: number): Record<string, string> {
  return Object.fromEntries(Array.from({ length: count }, (_, index) => [`a/${index}`.padEnd(50, 'x'), '1']));
}

describe('messages that are too large', () => {
  it('whose header announces more than the limit end RESOURCE_EXHAUSTED before they are received', async () => {
    const stream = raw().open();
    await stream.write(grpcFrame(Buffer.alloc(0), 100 * mebibyte));
    expect(await stream.ended).toEqual({ grpcStatus: status.RESOURCE_EXHAUSTED });
    await onlyTheNeighbourIsLeft();
  });

  it('of a hundred mebibytes are not kept, in whatever chunks they arrive', async () => {
    const stream = raw().open();
    await stream.write(grpcFrame(Buffer.alloc(0), 100 * mebibyte));
    const bytes = Buffer.alloc(mebibyte);
    const before = held();
    const sent = Promise.all(Array.from({ length: 100 }, () => stream.write(bytes)));
    expect(await stream.ended).toEqual({ grpcStatus: status.RESOURCE_EXHAUSTED });
    world.clock.advance(5_000);
    expect(await stream.closed).toBe(cancel);
    await sent;
    // The bytes in flight and the garbage are far less than what was sent.
    expect(held() - before).toBeLessThan(50 * mebibyte);
    await onlyTheNeighbourIsLeft();
  });

  it('that are never completed end their streams above the total limit, the largest first', async () => {
    const most = raw().open();
    const small = raw().open();
    await most.write(grpcFrame(Buffer.alloc(10 * mebibyte), 30 * mebibyte));
    await small.write(grpcFrame(Buffer.alloc(8 * mebibyte), 30 * mebibyte));
    expect(await most.ended).toEqual({ grpcStatus: status.RESOURCE_EXHAUSTED });
    expect(world.counters.level('gatehouse_xds_streams')).toBe(2);
    const other = world.stream().request(targetType, { node, initial: versions(20_000) });
    await other.accept();
    small.reset();
    other.cancel();
    await onlyTheNeighbourIsLeft();
  });
});

describe('bytes that are not gRPC', () => {
  it.each(['gzip', 'deflate', 'nonsense'])(
    'that %s is to decompress end UNIMPLEMENTED, whatever they are',
    async (encoding) => {
      const stream = raw().open({ 'grpc-encoding': encoding });
      await stream.write(grpcFrame(request, request.length, 1));
      expect(await stream.ended).toEqual({ grpcStatus: status.UNIMPLEMENTED });
      await onlyTheNeighbourIsLeft();
    },
  );

  it('of a partial message wait for the rest until the first-request timeout', async () => {
    const stream = raw().open();
    await stream.write(grpcFrame(request).subarray(0, 20));
    await untilStreams(2);
    world.clock.advance(30_000);
    expect(await stream.ended).toEqual({ grpcStatus: status.DEADLINE_EXCEEDED });
    await onlyTheNeighbourIsLeft();
  });

  it('followed by a reset in the middle of a message leave nothing behind', async () => {
    const connection = raw();
    for (let length = 0; length < 40; length += 1) {
      const stream = connection.open();
      await stream.write(grpcFrame(request).subarray(0, length * 2));
      stream.reset();
      await stream.ended;
    }
    await onlyTheNeighbourIsLeft();
  });
});

/** Encodes nested Structs from the inside out: an encoder would exhaust the stack. */
function nestedStruct(depth: number): Buffer {
  let struct: Buffer = Buffer.alloc(0);
  for (let level = 0; level < depth; level += 1) {
    // `Value.struct_value`, the value of an entry, and `Struct.fields`.
    struct = lengthDelimited(1, lengthDelimited(2, lengthDelimited(5, struct)));
  }
  return struct;
}

describe('forged metadata', () => {
  const refusal = async (metadata: Readonly<Record<string, unknown>>): Promise<unknown> =>
    world
      .stream()
      .request(targetType, { node: { id: 'forged', metadata } })
      .ended();

  it.each([
    ['a number', 7],
    ['a list', ['gw.default']],
    ['an object', { toString: 'gw.default' }],
    ['nothing', null],
    ['true', true],
  ])('with %s as the name of the Gateway: INVALID_ARGUMENT', async (_, value) => {
    const invalid = { code: 'INVALID_ARGUMENT', message: expect.stringContaining('is not a string') };
    expect(await refusal({ alt_xds_hostname: value })).toEqual(invalid);
    expect(await refusal({ role: value })).toEqual(invalid);
    await onlyTheNeighbourIsLeft();
  });

  it('that names another Gateway than the header: INVALID_ARGUMENT', async () => {
    const stream = world.stream({ headers: { 'x-alt-xds-hostname': 'gw.default' } });
    stream.request(targetType, { node: { id: 'forged', metadata: { alt_xds_hostname: 'other.default' } } });
    expect(await stream.ended()).toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringContaining('they must agree'),
    });
    await onlyTheNeighbourIsLeft();
  });

  it('in a later request does not move the stream to another Gateway', async () => {
    world.commit((edit) => {
      edit.gateway('other/gw', 'secret');
      edit.gateway(gateway, 'a');
      edit.target('secret/1');
    });
    const stream = await world.following();
    stream.request(targetType, { node: nodeOf('other/gw'), subscribe: ['secret/1'] });
    expect(deltaOf(await stream.accept())).toEqual(delta([], ['secret/1']));
    stream.cancel();
    await onlyTheNeighbourIsLeft();
  });

  it('of up to 256 KiB is accepted', async () => {
    const metadata = { ...node.metadata, filler: 'x'.repeat(100_000) };
    const stream = world.stream().request(targetType, { node: { id: 'x'.repeat(100_000), metadata } });
    await stream.accept();
    expect(world.server.nodes()[1]?.id).toHaveLength(256);
    stream.cancel();
    const larger = { ...node.metadata, filler: 'x'.repeat(262_144) };
    expect(await refusal(larger)).toEqual({
      code: 'RESOURCE_EXHAUSTED',
      message: 'a node may say 262144 bytes of itself',
    });
    await onlyTheNeighbourIsLeft();
  });

  it('that is nested very deep is decoded, or INVALID_ARGUMENT', async () => {
    const stream = raw().open();
    const nested = lengthDelimited(1, lengthDelimited(3, nestedStruct(3_000)));
    await stream.write(grpcFrame(Buffer.concat([nested, lengthDelimited(2, Buffer.from(targetType))])));
    expect(await stream.ended).toEqual({ grpcStatus: status.INVALID_ARGUMENT });
    await onlyTheNeighbourIsLeft();
  });

  it('in very large request headers ends that stream only', async () => {
    const stream = raw().open({ 'x-alt-xds-hostname': 'x'.repeat(60_000), 'x-filler': 'y'.repeat(60_000) });
    expect(Object.keys(await stream.ended)).toHaveLength(1);
    await onlyTheNeighbourIsLeft();
  });
});

describe('a node with an excessive request', () => {
  it.each(['delta', 'state-of-the-world'] as const)(
    'that subscribes to a million names: RESOURCE_EXHAUSTED (%s)',
    async (variant) => {
      const names = Array.from({ length: 1_000_000 }, (_, index) => `a/${index}`);
      const stream = world.stream({ variant }).request(targetType, { node, subscribe: names, names });
      expect(await stream.ended()).toMatchObject({ code: 'RESOURCE_EXHAUSTED' });
      await onlyTheNeighbourIsLeft();
    },
  );

  it('that subscribes to a million names gets the status before it has sent all of them', async () => {
    const names = Buffer.alloc(mebibyte, lengthDelimited(3, Buffer.from('a/name')));
    const stream = raw().open();
    let taken = false;
    void stream.write(grpcFrame(Buffer.concat([request, names]), 16 * mebibyte)).then(() => {
      taken = true;
    });
    expect(await stream.ended).toEqual({ grpcStatus: status.RESOURCE_EXHAUSTED });
    await onlyTheNeighbourIsLeft();
    for (let count = 0; count < 100; count += 1) await neighbour.silence();
    expect(taken).toBe(false);
    world.clock.advance(5_000);
    expect(await stream.closed).toBe(cancel);
    await onlyTheNeighbourIsLeft();
  });

  it('that reports more than 16 MiB of names that do not exist: RESOURCE_EXHAUSTED', async () => {
    const stream = raw().open();
    void stream.write(
      grpcFrame(deltaRequest({ typeUrl: targetType, node, initialResourceVersions: versions(200_000) })),
    );
    expect(await stream.ended).toEqual({ grpcStatus: status.RESOURCE_EXHAUSTED });
    await onlyTheNeighbourIsLeft();
  });

  it('that sends millions of unknown fields uses no more memory than their bytes', async () => {
    const before = process.resourceUsage().maxRSS;
    const empty = (field: number): Buffer => Buffer.alloc(12 * mebibyte, lengthDelimited(field, Buffer.alloc(0)));
    const reasons = [
      [{ grpcStatus: status.RESOURCE_EXHAUSTED }, [request, empty(8)]],
      [{ grpcStatus: status.RESOURCE_EXHAUSTED }, [lengthDelimited(1, empty(10)), request]],
      // Only the message of an error_detail is decoded. The second request is malformed, so that the stream ends.
      [{ grpcStatus: status.INVALID_ARGUMENT }, [request, lengthDelimited(7, empty(3))]],
    ] as const;
    for (const [end, pieces] of reasons) {
      const stream = raw().open();
      void stream.write(Buffer.concat([grpcFrame(Buffer.concat(pieces)), grpcFrame(Buffer.from([0x67]))]));
      expect(await stream.ended).toEqual(end);
    }
    expect((process.resourceUsage().maxRSS - before) / 1024).toBeLessThan(300);
    await onlyTheNeighbourIsLeft();
  });

  it('G5 that reports five mebibytes of versions is served', async () => {
    const stream = world.stream().request(targetType, { node, initial: versions(80_000) });
    let removed = 0;
    while (removed < 80_000) removed += (await stream.accept()).removed.length;
    await stream.silence();
    stream.cancel();
    await onlyTheNeighbourIsLeft();
  });
});

describe('the names of all subscriptions', () => {
  it('are limited, and those of a stream that ended no longer count', async () => {
    const limited = await startServedWorld({ maxSubscriptions: 4_000 });
    const subscribe = Array.from({ length: 25 }, (_, index) => `a/${index}`);
    const first = limited.stream().request(targetType, { node, subscribe });
    await first.accept();
    const second = limited.stream().request(targetType, { node, subscribe });
    expect(await second.ended()).toMatchObject({ code: 'RESOURCE_EXHAUSTED' });
    first.cancel();
    while (limited.counters.level('gatehouse_xds_streams') > 0) await new Promise(setImmediate);
    const third = limited.stream().request(targetType, { node, subscribe });
    await third.accept();
    third.request(targetType, { unsubscribe: subscribe });
    await third.silence();
    await limited.stream().request(targetType, { node, subscribe }).accept();
  });
});

describe('a node that', () => {
  it('floods requests is answered, and so are the others', async () => {
    const stream = world.stream().request(targetType, { node, subscribe: ['*', 'a/1'] });
    const first = await stream.next();
    for (let index = 0; index < 5_000; index += 1) stream.request(targetType, { nonce: 'stale', subscribe: ['a/1'] });
    await neighbour.silence();
    // A name that was requested many times is pending once.
    stream.ack(first);
    expect(deltaOf(await stream.accept())).toEqual(delta([], ['a/1']));
    stream.cancel();
    await onlyTheNeighbourIsLeft();
  });

  it('B7 C17 NACKs every response is sent each version once', async () => {
    world.put('a/1');
    const stream = world.stream().request(targetType, { node });
    for (let port = 1; port <= 20; port += 1) {
      stream.nack(await stream.next(), 'never');
      await stream.silence();
      world.change('a/1', port);
    }
    stream.nack(await stream.next(), 'never');
    await stream.silence();
    // The neighbour gets the changes in two responses: the first change, and all others.
    for (const step of ['first', 'others']) {
      const [response, ...more] = await neighbour.untilSilence();
      expect({ step, more }).toEqual({ step, more: [] });
      if (response !== undefined) neighbour.ack(response);
    }
    stream.cancel();
    await onlyTheNeighbourIsLeft();
  });

  it('C26 never answers ends DEADLINE_EXCEEDED', async () => {
    const stream = world.stream().request(targetType, { node });
    await stream.next();
    world.clock.advance(30_000);
    expect(await stream.ended()).toMatchObject({ code: 'DEADLINE_EXCEEDED' });
    await onlyTheNeighbourIsLeft();
  });

  it('never sends a request ends DEADLINE_EXCEEDED', async () => {
    const stream = raw().open();
    await untilStreams(2);
    world.clock.advance(30_000);
    expect(await stream.ended).toEqual({ grpcStatus: status.DEADLINE_EXCEEDED });
    await onlyTheNeighbourIsLeft();
  });
});
