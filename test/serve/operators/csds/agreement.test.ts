import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ConfigStatus } from '../../../../src/gen/envoy/service/status/v3/csds.ts';
import type { AdsResponse, AdsStream } from '../../../support/nodes/ads-client.ts';
import { createOperator, type Operator } from '../../../support/nodes/operator.ts';
import { targetType } from '../../../support/worlds/hand-made-world.ts';
import { createServedWorld, gateway, gatewayNode, type ServedWorld } from '../../../support/worlds/served-world.ts';

const names = ['a/1', 'a/2', 'a/3', 'a/4'];
const name = fc.constantFrom(...names);
const wish = fc.uniqueArray(fc.constantFrom('*', 'a/9', ...names), { minLength: 1, maxLength: 2 });
const step = fc.oneof(
  fc.record({ kind: fc.constant('change' as const), name, port: fc.integer({ min: 80, max: 83 }) }),
  fc.record({ kind: fc.constant('drop' as const), name }),
  fc.record({ kind: fc.constantFrom('subscribe' as const, 'unsubscribe' as const), wish }),
  fc.record({ kind: fc.constant('answer' as const), by: fc.constantFrom('ack' as const, 'nack' as const) }),
);
type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never;

/** The state of the exchange from the view of the node. */
class Witness {
  readonly #stream: AdsStream;
  readonly wanted: Set<string> = new Set(['*']);
  readonly held = new Map<string, string>();
  outstanding: AdsResponse | undefined;
  /** Whether it NACKed a response since its last ACK. */
  nacked = false;

  constructor(stream: AdsStream) {
    this.#stream = stream;
  }

  wants(target: string): boolean {
    return this.wanted.has('*') || this.wanted.has(target);
  }

  async listen(): Promise<void> {
    for (const response of await this.#stream.untilSilence()) {
      this.outstanding = response;
      for (const [target, version] of Object.entries(response.versions)) this.held.set(target, version);
      for (const target of response.removed) this.held.delete(target);
    }
  }

  change(kind: 'subscribe' | 'unsubscribe', wish: readonly string[]): void {
    this.#stream.request(targetType, { [kind]: wish });
    for (const target of wish) this.wanted[kind === 'subscribe' ? 'add' : 'delete'](target);
  }

  answer(by: 'ack' | 'nack'): void {
    if (this.outstanding === undefined) return;
    this.#stream[by](this.outstanding);
    this.outstanding = undefined;
    this.nacked = by === 'nack';
  }
}

function take(what: Step, world: ServedWorld, node: Witness): void {
  if (what.kind === 'change') world.change(what.name, what.port);
  else if (what.kind === 'drop') world.drop(what.name);
  else if (what.kind === 'answer') node.answer(what.by);
  else node.change(what.kind, what.wish);
}

async function compare(world: ServedWorld, operator: Operator, node: Witness): Promise<void> {
  const [config] = await operator.ask({ excludeResourceContents: true });
  const entries = (config?.genericXdsConfigs ?? []).filter((entry) => entry.name !== '');
  const of = (status: ConfigStatus): readonly string[] =>
    entries.flatMap((entry) => (entry.configStatus === status ? [entry.name] : [])).sort();
  const current = world.snapshots.of(gateway).views.get(targetType);
  const listed = entries.map((entry) => entry.name);

  expect(new Set(listed).size).toBe(listed.length);
  expect(listed).toEqual(
    expect.arrayContaining([...(current?.resources() ?? [])].map((one) => one.name).filter((one) => node.wants(one))),
  );
  const { names: brought = [], removed = [] } = node.outstanding ?? {};
  expect(of(ConfigStatus.STALE)).toEqual(
    [...new Set([...brought, ...removed])].filter((one) => node.wants(one)).sort(),
  );
  for (const entry of entries.filter(({ configStatus }) => configStatus === ConfigStatus.SYNCED)) {
    expect(entry.versionInfo).toBe(current?.get(entry.name)?.version);
    expect(entry.versionInfo).toBe(node.held.get(entry.name));
  }
  if (!node.nacked) expect(of(ConfigStatus.ERROR)).toEqual([]);
  if (!node.nacked) expect(entries.filter(({ errorState }) => errorState !== undefined)).toEqual([]);
}

it('client status agrees with the node after any sequence of events', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 30 }), async (steps) => {
      const world = await createServedWorld();
      const operator = await createOperator(world);
      try {
        world.commit((edit) => edit.gateway(gateway));
        world.put(...names);
        const node = new Witness(world.stream().request(targetType, { node: gatewayNode }));
        for (const what of steps) {
          await node.listen();
          await compare(world, operator, node);
          take(what, world, node);
        }
      } finally {
        await operator.close();
        await world.close();
      }
    }),
    { numRuns: 30 },
  );
}, 60_000);
