import fc from 'fast-check';
import { expect, it } from 'vitest';
import { targetType } from '../support/hand-made-world.ts';
import { ModelNode } from '../support/model-node.ts';
import { createServedWorld, gateway, type ServedWorld } from '../support/served-world.ts';

const names = ['a/1', 'a/2', 'a/3', 'b/1', 'b/2', 'c/1'];
const scopes = [['a'], ['b'], ['a', 'b']];
/** Its scope is everything, and stays so. */
const openGateway = 'default/open';
const kinds = [
  { of: gateway, variant: 'delta' },
  { of: gateway, variant: 'delta' },
  { of: gateway, variant: 'state-of-the-world' },
  { of: openGateway, variant: 'delta' },
  { of: openGateway, variant: 'state-of-the-world' },
] as const;

type Action = (world: ServedWorld, node: ModelNode) => void | Promise<void>;

const name = fc.constantFrom(...names);
const wish = fc.uniqueArray(fc.constantFrom('*', 'a/9', ...names), { minLength: 1, maxLength: 3 });
const acts = (run: Action): Action => run;
const action: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc
      .tuple(name, fc.integer({ min: 80, max: 84 }))
      .map(([target, port]) => acts((world) => world.change(target, port))),
  },
  { weight: 3, arbitrary: name.map((target) => acts((world) => world.drop(target))) },
  {
    weight: 2,
    arbitrary: fc
      .constantFrom(...scopes)
      .map((scope) => acts((world) => world.commit((edit) => edit.gateway(gateway, ...scope)))),
  },
  { weight: 1, arbitrary: fc.constant(acts((world) => world.commit((edit) => edit.noGateway(gateway)))) },
  { weight: 4, arbitrary: wish.map((list) => acts((_, node) => node.subscribe(...list))) },
  { weight: 4, arbitrary: wish.map((list) => acts((_, node) => node.unsubscribe(...list))) },
  { weight: 1, arbitrary: fc.boolean().map((versions) => acts((_, node) => node.reconnect(versions))) },
  { weight: 3, arbitrary: fc.constant(acts((_, node) => node.withhold())) },
  { weight: 6, arbitrary: fc.constant(acts((_, node) => node.settle())) },
  { weight: 1, arbitrary: fc.constant(acts((_, node) => node.refuseNext())) },
);
const script = fc.array(fc.tuple(fc.nat({ max: kinds.length - 1 }), action), {
  minLength: 20,
  maxLength: 80,
  size: 'max',
});

it('F5 I1 C7 C26 A13 whatever happens, every node ends with exactly what it wants of its scope, and never saw anything else', async () => {
  await fc.assert(
    fc.asyncProperty(script, async (steps) => {
      const world = await createServedWorld({ maxResponse: 400 });
      try {
        world.commit((edit) => {
          edit.gateway(gateway, 'a', 'b');
          edit.gateway(openGateway);
          for (const target of names) edit.target(target);
        });
        const nodes = kinds.map(({ of, variant }) => new ModelNode(world.client(), of, variant));
        await Promise.all(nodes.map((node) => node.settle()));
        for (const [index, act] of steps) {
          const node = nodes[index];
          if (node !== undefined) await act(world, node);
        }
        await Promise.all(nodes.map((node) => node.settle()));

        for (const [index, { of }] of kinds.entries()) {
          const node = nodes[index];
          const fresh = new ModelNode(world.client(), of, 'delta');
          await fresh.settle();
          const scope = [...(world.snapshots.of(of).views.get(targetType)?.resources() ?? [])];
          expect([...fresh.world.keys()].sort()).toEqual(scope.map(({ name: target }) => target));
          const expected = [...fresh.world].filter(([target]) => node?.wants(target)).sort();
          expect([...(node?.world ?? [])].sort()).toEqual(expected);
          const foreign = [...(node?.seen ?? [])].filter((target) => target.startsWith('c/'));
          if (of === gateway) expect(foreign).toEqual([]);
          expect(node?.broken).toEqual([]);
        }
      } finally {
        await world.close();
      }
    }),
    { numRuns: 60 },
  );
}, 60_000);
