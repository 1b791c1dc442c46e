import { describe, expect, it } from 'vitest';
import { createFreshWorld } from '../support/worlds/fresh-world.ts';
import { worlds } from './worlds/worlds.ts';

/** The snapshots of a process that reads these files; `history.test.ts` checks the same over real gRPC. */
describe('a small set of manifests', () => {
  it.each(worlds)('$clause', ({ files, serves }) => {
    const manifests = Object.entries(files).filter(([name]) => /^[^.].*\.(yaml|yml|json)$/.test(name));
    const world = createFreshWorld(Object.fromEntries(manifests));
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
