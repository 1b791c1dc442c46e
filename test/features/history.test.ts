import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { GatewayNode } from '../support/nodes/gateway-node.ts';
import { createFreshWorld, type Files, type FreshWorld } from '../support/worlds/fresh-world.ts';
import type { VersionedResources } from '../support/worlds/held-resources.ts';
import { type RunningWorld, startWorld } from '../support/worlds/running-world.ts';
import { goldenWorlds } from './worlds/golden.ts';
import { manifestsOf } from './worlds/world.ts';
import { worlds } from './worlds/worlds.ts';

interface Played {
  readonly files: Files;
  readonly fresh: FreshWorld;
}

const played = new Map<string, Played>(
  [...worlds, ...goldenWorlds].map(({ clause, files }) => [
    clause,
    { files, fresh: createFreshWorld(manifestsOf(files)) },
  ]),
);
const gateways = [...new Set([...played.values()].flatMap(({ fresh }) => fresh.gateways))];

/** Expects equal resources on a node that stayed connected, on a new node, and in a new process with the same files. */
async function expectNoPast(
  running: RunningWorld,
  fresh: FreshWorld,
  stayed: readonly GatewayNode[],
  when: string,
): Promise<void> {
  const held: Record<string, VersionedResources> = {};
  for (const node of stayed) held[node.gateway] = await node.settled();
  const expected = Object.fromEntries(stayed.map(({ gateway }) => [gateway, fresh.resourcesOf(gateway)]));
  expect(held, `nodes that stayed, ${when}`).toEqual(expected);
  for (const gateway of fresh.gateways) {
    const late = running.node(gateway);
    expect(await late.settled(), `${gateway}, which came late, ${when}`).toEqual(fresh.resourcesOf(gateway));
    await late.close();
  }
}

it('the snapshot does not depend on the history or on the order of earlier inputs', { timeout: 120_000 }, async () => {
  await using running = await startWorld();
  const stayed = gateways.map((gateway) => running.node(gateway));
  const everyWorld = fc.shuffledSubarray([...played.keys()], { minLength: played.size });
  const forgets = fc.asyncProperty(everyWorld, async (order) => {
    let before = 'the last of the run before';
    for (const clause of order) {
      const world = played.get(clause);
      if (world === undefined) throw new Error(`there is no world "${clause}"`);
      await running.become(world.files);
      await expectNoPast(running, world.fresh, stayed, `in "${clause}" after "${before}"`);
      before = clause;
    }
  });
  await fc.assert(forgets, { numRuns: 3, endOnFailure: true });
});
