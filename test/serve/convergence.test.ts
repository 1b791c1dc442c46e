import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ModelNode } from '../support/nodes/model-node.ts';
import { createServedWorld, gateway, type ServedWorld } from '../support/worlds/served-world.ts';

const names = ['a/1', 'a/2', 'a/3', 'b/1', 'b/2', 'c/1'];
const scopes = [['a'], ['b'], ['a', 'b']];
/** A Gateway whose scope is all namespaces, unchanged by the test. */
const openGateway = 'default/open';
const kinds = [
  { of: gateway, variant: 'delta' },
  { of: gateway, variant: 'delta' },
  { of: gateway, variant: 'state-of-the-world' },
  { of: openGateway, variant: 'delta' },
  { of: openGateway, variant: 'state-of-the-world' },
] as const;

/** The served world, and a model of what it should contain. */
class Played {
  readonly world: ServedWorld;
  readonly #ports = new Map<string, number>();
  #scope: readonly string[] = ['a', 'b'];

  constructor(world: ServedWorld) {
    this.world = world;
    world.commit((edit) => edit.gateway(openGateway));
    this.rescope(this.#scope);
    for (const name of names) this.change(name, 80);
  }

  change(name: string, port: number): void {
    this.#ports.set(name, port);
    this.world.change(name, port);
  }

  drop(name: string): void {
    this.#ports.delete(name);
    this.world.drop(name);
  }

  /** Removes the Gateway if there is no namespace. */
  rescope(namespaces: readonly string[]): void {
    this.#scope = namespaces;
    this.world.commit((edit) =>
      namespaces.length > 0 ? edit.gateway(gateway, ...namespaces) : edit.noGateway(gateway),
    );
  }

  /** Checks that a node without pending responses holds what it subscribed to in its scope. */
  async settle(node: ModelNode): Promise<void> {
    await node.settle();
    const inScope = (name: string): boolean =>
      node.gateway === openGateway || this.#scope.some((namespace) => name.startsWith(`${namespace}/`));
    const expected = [...this.#ports].filter(([name]) => inScope(name) && node.wants(name)).sort();
    expect([...node.world].sort()).toEqual(expected);
    expect(node.broken).toEqual([]);
  }
}

type Action = (played: Played, node: ModelNode) => void | Promise<void>;

const name = fc.constantFrom(...names);
const wish = fc.uniqueArray(fc.constantFrom('*', '*', '*', 'a/9', ...names), { minLength: 1, maxLength: 3 });
const actions: readonly (readonly [weight: number, action: fc.Arbitrary<Action>])[] = [
  [
    5,
    fc.tuple(name, fc.integer({ min: 80, max: 84 })).map(
      ([target, port]) =>
        (played) =>
          played.change(target, port),
    ),
  ],
  [3, name.map((target) => (played) => played.drop(target))],
  [3, fc.constantFrom([], ...scopes).map((scope) => (played) => played.rescope(scope))],
  [5, wish.map((list) => (_, node) => node.subscribe(...list))],
  [5, wish.map((list) => (_, node) => node.unsubscribe(...list))],
  [1, fc.boolean().map((versions) => (_, node) => node.reconnect(versions))],
  [3, fc.constant((_, node) => node.withhold())],
  [6, fc.constant((played, node) => played.settle(node))],
  [1, fc.constant((_, node) => node.refuseNext())],
];
const action = fc.oneof(...actions.map(([weight, arbitrary]) => ({ weight, arbitrary })));
const script = fc.array(fc.tuple(fc.nat({ max: kinds.length - 1 }), action), {
  minLength: 20,
  maxLength: 80,
  size: 'max',
});

it('F5 I1 C7 C26 A13 after any sequence of events every node holds exactly what it subscribed to in its scope, and was sent nothing else', async () => {
  await fc.assert(
    fc.asyncProperty(script, async (steps) => {
      const world = await createServedWorld({ maxResponse: 400 });
      try {
        const played = new Played(world);
        const nodes = kinds.map(({ of, variant }) => new ModelNode(world.client(), of, variant));
        await Promise.all(nodes.map((node) => played.settle(node)));
        for (const [index, act] of steps) {
          const node = nodes[index];
          if (node !== undefined) await act(played, node);
        }
        await Promise.all(nodes.map((node) => played.settle(node)));
        for (const node of nodes) {
          if (node.gateway === openGateway) continue;
          expect([...node.seen].filter((target) => target.startsWith('c/'))).toEqual([]);
        }
      } finally {
        await world.close();
      }
    }),
    { numRuns: 60 },
  );
}, 60_000);
