import { beforeEach, describe, expect, it } from 'vitest';
import { targetType } from '../../support/worlds/hand-made-world.ts';
import {
  delta,
  deltaOf,
  gatewayNode as node,
  type ServedWorld,
  startServedWorld,
} from '../../support/worlds/served-world.ts';

let world: ServedWorld;

beforeEach(async () => {
  world = await startServedWorld({ ackTimeout: 1_000_000, connectionAge: { age: 100_000, grace: 5_000 } });
});

describe('G8 a stream that is old', () => {
  it('goes on for the time of grace and ends UNAVAILABLE; the next one has another connection', async () => {
    const client = world.client();
    const stream = client.open().request(targetType, { node });
    await stream.accept();
    const peer = world.server.nodes()[0]?.peer;
    world.clock.advance(100_000);
    world.put('a/1');
    expect(deltaOf(await stream.accept())).toEqual(delta(['a/1']));
    const next = client.open().request(targetType, { node });
    await next.accept();
    world.clock.advance(5_000);
    expect(await stream.ended()).toMatchObject({ code: 'UNAVAILABLE', message: expect.stringContaining('old') });
    expect(world.server.nodes()).toHaveLength(1);
    expect(world.server.nodes()[0]?.peer).not.toBe(peer);
  });

  it('leaves no timer when it ends by itself', async () => {
    const stream = await world.following();
    stream.halfClose();
    await stream.ended();
    const other = await world.following();
    while (world.server.nodes().length > 1) await other.silence();
    world.clock.advance(200_000);
    expect(world.counters.total('gatehouse_xds_streams_ended_total', { code: 'UNAVAILABLE' })).toBe(1);
  });
});

it('G8 streams that came together do not leave together', async () => {
  const draws = [0.25, 0.5, 0.75, 0];
  const spread = await startServedWorld(
    { ackTimeout: 1_000_000, linger: 1_000_000, connectionAge: { age: 100_000, grace: 0 } },
    undefined,
    () => draws.shift() ?? 0,
  );
  const fleet = await Promise.all(Array.from({ length: 4 }, () => spread.following()));
  const left: number[] = [];
  for (let second = 0; second <= 110; second += 5) {
    left.push(spread.server.nodes().length);
    spread.clock.advance(5_000);
  }
  expect(left.slice(0, 18)).toEqual(Array(18).fill(4));
  expect(left.slice(18)).toEqual([3, 2, 1, 0, 0]);
  for (const stream of fleet) expect(await stream.ended()).toMatchObject({ code: 'UNAVAILABLE' });
});
