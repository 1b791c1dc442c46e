import { describe, expect, it } from 'vitest';
import { Target } from '../../../src/gen/mcp/kgateway/dev/target/v1alpha1/target.ts';
import type { ResourceType } from '../../../src/snapshot/model.ts';
import type { AdsResponse, AdsStream } from '../../support/nodes/ads-client.ts';
import { targetType } from '../../support/worlds/hand-made-world.ts';
import {
  delta,
  deltaOf,
  gateway,
  gatewayNode as node,
  type ServedWorld,
  startServedWorld,
} from '../../support/worlds/served-world.ts';

let world: ServedWorld;

const serve = async (registration: Partial<ResourceType>): Promise<void> => {
  world = await startServedWorld({}, registration);
};
const state = (names: readonly string[] = []): AdsStream =>
  world.stream({ variant: 'state-of-the-world' }).request(targetType, { node, names });
const names = ({ messages }: AdsResponse): string[] => messages.map((message) => Target.decode(message).name).sort();

describe('a type that is not full-state, in state of the world,', () => {
  it('B2 has no response to names that do not exist, and an empty response to a wildcard', async () => {
    await serve({ fullState: false });
    await state(['a/1']).silence();
    expect(names(await state().next())).toEqual([]);
    expect(names(await state(['*', 'a/1']).next())).toEqual([]);
  });

  it('B16 B19 is sent when it changes, and when a subscribed name is created later', async () => {
    await serve({ fullState: false });
    world.put('a/1');
    const list = { names: ['a/1', 'a/2'] };
    const stream = state(list.names);
    await stream.accept(list);
    await stream.silence();
    world.put('a/2');
    expect(names(await stream.accept(list))).toContain('a/2');
    world.change('a/1', 81);
    expect(names(await stream.accept(list))).toContain('a/1');
    await stream.silence();
  });

  it('B18 has no response to a deletion, of the last resource or another', async () => {
    await serve({ fullState: false });
    world.put('a/1', 'a/2');
    const stream = state();
    await stream.accept();
    await stream.silence();
    world.drop('a/1');
    await stream.silence();
    world.drop('a/2');
    await stream.silence();
    world.put('a/3');
    expect(names(await stream.next())).toEqual(['a/3']);
  });
});

describe('B24 a type without a legacy wildcard', () => {
  it('has an empty subscription without names', async () => {
    await serve({ legacyWildcard: false });
    world.put('a/1');
    const stream = world.stream().request(targetType, { node });
    await stream.silence();
    stream.request(targetType, { subscribe: ['a/1'] });
    expect(deltaOf(await stream.accept())).toEqual(delta(['a/1']));
    await state().silence();
  });

  it('has a wildcard subscription with *', async () => {
    await serve({ legacyWildcard: false });
    world.put('a/1');
    expect(
      deltaOf(
        await world
          .stream()
          .request(targetType, { node, subscribe: ['*'] })
          .next(),
      ),
    ).toEqual(delta(['a/1']));
    expect(names(await state(['*']).next())).toEqual(['a/1']);
  });
});

describe('E2 the push order', () => {
  it.each([
    ['lower', -1],
    ['higher', 2],
  ])('is the order of the registrations: %s', async (_, order) => {
    await serve({ pushOrder: order });
    const config = 'type.googleapis.com/mcp.kgateway.dev.rbac.v1alpha1.Config';
    const stream = await world.following();
    stream.request(config);
    await stream.accept();
    await stream.silence();
    world.commit((edit) => {
      edit.target('a/1');
      edit.config(gateway, 'p');
    });
    const types = [(await stream.next()).typeUrl, (await stream.next()).typeUrl];
    expect(types).toEqual(order < 0 ? [targetType, config] : [config, targetType]);
  });
});
