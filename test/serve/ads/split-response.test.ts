import { beforeEach, expect, it } from 'vitest';
import type { AdsResponse, AdsStream } from '../../support/nodes/ads-client.ts';
import { targetType } from '../../support/worlds/hand-made-world.ts';
import { gateway, gatewayNode as node, type ServedWorld, startServedWorld } from '../../support/worlds/served-world.ts';

const maxResponse = 2000;
let world: ServedWorld;

beforeEach(async () => {
  world = await startServedWorld({ maxResponse });
  world.put(...numbered(100));
});

const numbered = (count: number): string[] => Array.from({ length: count }, (_, index) => `a/${100 + index}`);

const allOf = async (stream: AdsStream): Promise<AdsResponse[]> => {
  const parts = [await stream.accept()];
  const seen = new Set(parts[0]?.names);
  while (seen.size < 100) {
    const part = await stream.accept();
    for (const name of part.names) seen.add(name);
    parts.push(part);
  }
  return parts;
};

it('C29 A13 A14 G6 a large update is split into responses within the limit, each with its own nonce, without duplicate names', async () => {
  const stream = world.stream().request(targetType, { node });
  const parts = await allOf(stream);
  await stream.silence();
  expect(parts.length).toBeGreaterThan(5);
  for (const part of parts) expect(part.bytes).toBeLessThan(maxResponse + 100);
  expect(new Set(parts.map(({ nonce }) => nonce)).size).toBe(parts.length);
  expect(parts.flatMap(({ names }) => names).sort()).toEqual(numbered(100));
});

it('C29 C26 the responses of a large update are sent one at a time', async () => {
  const stream = world.stream().request(targetType, { node });
  const first = await stream.next();
  await stream.silence();
  stream.ack(first);
  expect((await stream.next()).names[0]).not.toBe(first.names[0]);
});

it('C29 a large update is ACKed when all of its responses are', async () => {
  const stream = world.stream().request(targetType, { node });
  await stream.accept();
  stream.nack(await stream.next(), 'this one not');
  const type = (): object | undefined => world.server.nodes()[0]?.types.find(({ typeUrl }) => typeUrl === targetType);
  const { length } = await stream.accept().then(({ names }) => names);
  expect(type()).toHaveProperty('rejection.message', 'this one not');
  expect(type()).not.toHaveProperty('acked');
  expect(length).toBeGreaterThan(0);
});

it('C29 C27 changes during a large update are sent after it', async () => {
  const stream = world.stream().request(targetType, { node });
  const first = await stream.next();
  world.change('a/100', 81);
  world.drop('a/199');
  stream.ack(first);
  const told = new Map<string, string>(Object.entries(first.versions));
  for (;;) {
    const part = await stream.accept();
    for (const [name, version] of Object.entries(part.versions)) told.set(name, version);
    for (const name of part.removed) told.delete(name);
    if (part.removed.length > 0) break;
  }
  await stream.silence();
  const now = [...(world.snapshots.of(gateway).views.get(targetType)?.resources() ?? [])];
  expect([...told].sort()).toEqual(now.map(({ name, version }) => [name, version]));
});

it('C29 C7 the rest of a large update is not sent after the node unsubscribes', async () => {
  const stream = world.stream().request(targetType, { node, subscribe: ['*', 'a/100', 'a/199'] });
  const first = await stream.next();
  stream.request(targetType, { unsubscribe: ['*'] }).ack(first);
  const brought: string[] = [];
  const removed: string[] = [];
  while (removed.length < 98) {
    const part = await stream.accept();
    brought.push(...part.names);
    removed.push(...part.removed);
  }
  await stream.silence();
  expect(brought).toEqual(['a/199']);
  expect(removed.toSorted()).toEqual(numbered(100).slice(1, -1));
});

it('C29 a large update of removals is split as well', async () => {
  const stream = world.stream().request(targetType, { node });
  await allOf(stream);
  world.commit((edit) => {
    for (const name of numbered(100)) edit.noTarget(name);
    for (let index = 0; index < 100; index += 1) edit.target(`b/${'x'.repeat(50)}-${index}`);
  });
  const gone: string[] = [];
  while (gone.length < 100) gone.push(...(await stream.accept()).removed);
  await stream.silence();
  expect(gone.toSorted()).toEqual(numbered(100));
});
