import { describe, expect, it } from 'vitest';
import { createFreshWorld } from '../support/worlds/fresh-world.ts';
import { goldenWorlds } from './worlds/golden.ts';
import { manifestsOf } from './worlds/world.ts';
import { worlds } from './worlds/worlds.ts';

const specified = [...worlds, ...goldenWorlds].flatMap(({ serves, ...world }) =>
  serves ? [{ ...world, serves }] : [],
);

/** The snapshots of a new process with these files; `history.test.ts` compares nodes over real gRPC with them. */
describe('a small set of manifests', () => {
  it.each(specified)('$clause', ({ files, serves }) => {
    const world = createFreshWorld(manifestsOf(files));
    const served = world.gateways.map((gateway) => {
      const { targets, configs } = world.resourcesOf(gateway);
      return [gateway, { targets, configs }] as const;
    });
    const silent = { targets: {}, configs: {} };
    const expected = world.gateways.map((gateway) => [gateway, { ...silent, ...serves[gateway] }]);
    expect(served).toEqual(expected);
    expect(world.gateways).toEqual(expect.arrayContaining(Object.keys(serves)));
  });
});
