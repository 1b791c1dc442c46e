import fc from 'fast-check';
import { expect, it } from 'vitest';
import { targetType } from '../support/hand-made-world.ts';
import { ModelNode } from '../support/model-node.ts';
import { createServedWorld, gateway, type ServedWorld } from '../support/served-world.ts';

const names = ['a/1', 'a/2', 'a/3', 'b/1', 'b/2', 'c/1'];
const scopes = [['a'], ['b'], ['a', 'b']];

type Action = (world: ServedWorld, node: ModelNode) => void | Promise<void>;

const name = fc.constantFrom(...names);
const wish = fc.uniqueArray(fc.constantFrom('*', 'a/9', ...names), { minLength: 1, maxLength: 3 });
const action: fc.Arbitrary<Action> = fc.oneof(
  fc.tuple(name, fc.integer({ min: 80, max: 84 })).map(
    ([target, port]): Action =>
      (world) =>
        world.change(target, port),
  ),
  name.map(
    (target): Action =>
      (world) =>
        world.drop(target),
  ),
  fc.constantFrom(...scopes).map(
    (scope): Action =>
      (world) =>
        world.commit((edit) => edit.gateway(gateway, ...scope)),
  ),
  fc.constant<Action>((world) => world.commit((edit) => edit.noGateway(gateway))),
  wish.map(
    (list): Action =>
      (_, node) =>
        node.subscribe(...list),
  ),
  wish.map(
    (list): Action =>
      (_, node) =>
        node.unsubscribe(...list),
  ),
  fc.boolean().map(
    (versions): Action =>
      (_, node) =>
        node.reconnect(versions),
  ),
  fc.constant<Action>((_, node) => node.withhold()),
  fc.constant<Action>((_, node) => node.settle()),
  fc.constant<Action>((_, node) => node.refuseNext()),
);
const script = fc.array(fc.tuple(fc.nat({ max: 2 }), action), { minLength: 5, maxLength: 30 });

it('F5 I1 whatever happens, every node ends with exactly what it wants of its scope, and never saw anything else', async () => {
  await fc.assert(
    fc.asyncProperty(script, async (steps) => {
      const world = await createServedWorld({ maxResponse: 400 });
      try {
        world.commit((edit) => edit.gateway(gateway, 'a', 'b'));
        const nodes = (['delta', 'delta', 'state-of-the-world'] as const).map(
          (variant) => new ModelNode(world.client(), gateway, variant),
        );
        await Promise.all(nodes.map((node) => node.settle()));
        for (const [index, act] of steps) {
          const node = nodes[index];
          if (node !== undefined) await act(world, node);
        }
        await Promise.all(nodes.map((node) => node.settle()));

        const scope = [...(world.snapshots.of(gateway).views.get(targetType)?.resources() ?? [])];
        const present = scope.map(({ name: target }) => target);
        const fresh = new ModelNode(world.client(), gateway, 'delta');
        await fresh.settle();
        expect([...fresh.world.keys()].sort()).toEqual(present);
        for (const node of nodes) {
          const expected = [...fresh.world].filter(([target]) => node.wants(target)).sort();
          expect([...node.world].sort()).toEqual(expected);
          expect([...node.seen].filter((target) => target.startsWith('c/'))).toEqual([]);
        }
      } finally {
        await world.close();
      }
    }),
    { numRuns: 40 },
  );
}, 60_000);
