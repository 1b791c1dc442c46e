import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { DeltaDiscoveryRequest } from '../../../src/gen/envoy/service/discovery/v3/discovery.ts';
import { type ClosedWindow, createClosedWindow } from '../../support/nodes/closed-window.ts';
import { createRawConnection, grpcFrame } from '../../support/nodes/raw-stream.ts';
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
  world = await startServedWorld({ send: { small: 1_000, moving: 10_000, total: 120_000 } });
  world.commit((edit) => {
    // A first answer is larger than what may be on its way at once.
    for (let index = 0; index < 500; index += 1) edit.target(`a/${index}`);
  });
});

const request = grpcFrame(
  DeltaDiscoveryRequest.encode(DeltaDiscoveryRequest.fromPartial({ typeUrl: targetType, node })).finish(),
);

/** With a name of its own beside the wildcard, no other stream shares the response of a node. */
const own = ['*', 'its/own'];

const cutOffs = (): number => world.counters.total('gatehouse_xds_cut_offs_total');
const responses = (): number => world.counters.total('gatehouse_xds_responses_total', { type: targetType });

function blindNode(): ClosedWindow {
  const blind = createClosedWindow(world.address, 'gw.default');
  onTestFinished(() => blind.close());
  blind.request({ typeUrl: targetType, resourceNamesSubscribe: own });
  return blind;
}

/** Until the server knows so many nodes; the one that looks is not counted. */
async function untilNodes(count: number): Promise<void> {
  const probe = world.stream().request('type.test/probe', { node });
  await probe.accept();
  while (world.counters.level('gatehouse_xds_nodes') < count + 1) await probe.silence();
  probe.cancel();
}

describe('F4 a node that never reads', () => {
  it('is reset some time after its end, alone on its connection, and nothing of it is left', async () => {
    const connection = createRawConnection(world.address, 0);
    onTestFinished(() => connection.close());
    const blind = connection.open();
    await blind.write(request);
    await world.log.line('a node is connected');
    world.clock.advance(30_000);
    expect(world.counters.total('gatehouse_xds_streams_ended_total', { code: 'DEADLINE_EXCEEDED' })).toBe(1);
    expect(cutOffs()).toBe(0);

    const other = connection.open();
    await other.write(request);
    world.clock.advance(5_000);
    expect(cutOffs()).toBe(1);
    expect(await blind.ended).toEqual({ resetWith: 8 });
    await untilNodes(1);
    other.reset();
  });

  it('that reads again before it is cut off gets everything', async () => {
    const blind = blindNode();
    await world.log.line('a node is connected');
    world.clock.advance(30_000);
    const received: number[] = [];
    for await (const { resources } of blind.open()) received.push(resources.length);
    expect(received).toEqual([500]);
    expect(cutOffs()).toBe(0);
  });

  it('holds up those who come after it only until it is clear that it does not read', async () => {
    blindNode();
    await world.log.line('a node is connected');
    const stream = world.stream().request(targetType, { node, subscribe: own });
    await untilNodes(2);
    expect(responses()).toBe(1);
    world.clock.advance(1_000);
    expect((await stream.accept()).names).toHaveLength(500);
  });

  it('holds up nobody whose response is shared', async () => {
    blindNode();
    await world.log.line('a node is connected');
    const fleet = Array.from({ length: 10 }, () => world.stream().request(targetType, { node }));
    for (const stream of fleet) expect((await stream.accept()).names).toHaveLength(500);
    expect(world.counters.total('gatehouse_xds_assemblies_total')).toBe(2);
  });
});

describe('F4 responses that wait for room', () => {
  it('are not in the queue of pushes', async () => {
    blindNode();
    await world.log.line('a node is connected');
    const stream = world.stream().request(targetType, { node, subscribe: own });
    await untilNodes(2);
    const passes = world.counters.values('gatehouse_xds_queue_seconds').length;
    world.change('a/1', 81);
    await untilNodes(2);
    expect(world.counters.values('gatehouse_xds_queue_seconds')).toHaveLength(passes);
    world.clock.advance(1_000);
    // It was not built before: it has the change.
    expect((await stream.accept()).names).toHaveLength(500);
    expect(await stream.untilSilence()).toEqual([]);
  });

  it('are not built, however many there are, and small changes pass them all', async () => {
    const good = await world.following();
    const blind = Array.from({ length: 10 }, blindNode);
    await untilNodes(11);
    for (let second = 0; second < 10; second += 1) world.clock.advance(1_000);
    // Of the ten, two were begun before the limit of all was reached; the others were not even built.
    expect(responses()).toBe(1 + 2);
    expect(world.counters.total('gatehouse_xds_assemblies_total')).toBeLessThan(10);
    world.change('a/1', 81);
    expect(deltaOf(await good.accept())).toEqual(delta(['a/1']));
    for (const one of blind) one.close();
  });
});

it('F4 first answers to many nodes at once take turns, and all arrive', async () => {
  const fleet = Array.from({ length: 30 }, () => world.stream().request(targetType, { node, subscribe: own }));
  for (const stream of fleet) expect((await stream.accept()).names).toHaveLength(500);
  expect(responses()).toBe(30);
});
