import { afterEach, describe, expect, it } from 'vitest';
import { Target } from '../../../src/gen/mcp/kgateway/dev/target/v1alpha1/target.ts';
import type { ResourceType } from '../../../src/snapshot/model.ts';
import type { AdsResponse, AdsStream } from '../../support/nodes/ads-client.ts';
import { targetType } from '../../support/worlds/hand-made-world.ts';
import {
  createServedWorld,
  gateway,
  gatewayNode as node,
  type ServedWorld,
  said,
  says,
} from '../../support/worlds/served-world.ts';

let world: ServedWorld;

afterEach(() => world.close());

const serve = async (registration: Partial<ResourceType>): Promise<void> => {
  world = await createServedWorld({}, registration);
  world.commit((edit) => edit.gateway(gateway));
};
const state = (names: readonly string[] = []): AdsStream =>
  world.stream({ variant: 'state-of-the-world' }).request(targetType, { node, names });
const names = ({ messages }: AdsResponse): string[] => messages.map((message) => Target.decode(message).name).sort();

describe('a type that is not full-state, in state of the world,', () => {
  it('B2 answers names of nothing with silence, and a wildcard with an empty response', async () => {
    await serve({ fullState: false });
    await state(['a/1']).silence();
    expect(names(await state().next())).toEqual([]);
    expect(names(await state(['*', 'a/1']).next())).toEqual([]);
  });

  it('B16 B19 brings what changed, and a name that is created only later', async () => {
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

  it('B18 says nothing of a deletion, whether or not it is the last', async () => {
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
  it('means nothing by naming nothing', async () => {
    await serve({ legacyWildcard: false });
    world.put('a/1');
    const delta = world.stream().request(targetType, { node });
    await delta.silence();
    delta.request(targetType, { subscribe: ['a/1'] });
    expect(said(await delta.accept())).toEqual(says(['a/1']));
    await state().silence();
  });

  it('means everything by *', async () => {
    await serve({ legacyWildcard: false });
    world.put('a/1');
    expect(
      said(
        await world
          .stream()
          .request(targetType, { node, subscribe: ['*'] })
          .next(),
      ),
    ).toEqual(says(['a/1']));
    expect(names(await state(['*']).next())).toEqual(['a/1']);
  });
});

describe('E2 the order of pushes', () => {
  it.each([
    ['lower', -1],
    ['higher', 2],
  ])('is that of the registrations: %s', async (_, order) => {
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
