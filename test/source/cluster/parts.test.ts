import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Clock } from '../../../src/edges.ts';
import type { Resource } from '../../../src/resources/model.ts';
import type { Batch } from '../../../src/source/model.ts';
import { type ApiServer, line } from '../../support/api-server/api-server.ts';
import type { Fault } from '../../support/api-server/faults.ts';
import type { WrittenObject } from '../../support/api-server/store.ts';
import { systemClock } from '../../support/edges/system-clock.ts';
import { type ClusterRig, requestsFor, startCluster } from './cluster-rig.ts';

/** Two of them are more than a part of a batch, so that each large object is a part of its own. */
const large = { pad: 'x'.repeat(300_000) };

const versions = { Service: serviceOf, MCPAuthPolicy: policyOf };
type Kind = keyof typeof versions;
const kinds = ['Service', 'MCPAuthPolicy'] as const;

/** What a server has had of each kind, state after state. */
type Histories = Readonly<Record<Kind, string[]>>;

interface World {
  readonly server: ApiServer;
  readonly histories: Histories;
}

type Step = (world: World) => void | Promise<void>;

function serviceOf(version: number): unknown {
  return { clusterIP: '10.0.0.1', ports: [{ port: version, appProtocol: 'kgateway.dev/mcp' }] };
}

function policyOf(version: number): unknown {
  const match = { type: 'JWT', jwt: { claim: 'sub', value: 'me' } };
  const resource = { kind: 'tool', name: `default/tool:${version}` };
  return { targetRefs: [{ name: 'gw' }], rules: [{ matches: [match], resource }] };
}

function put({ server, histories }: World, kind: Kind, object: WrittenObject): void {
  server.put(kind, object);
  histories[kind].push(stored(server, kind));
}

function remove({ server, histories }: World, kind: Kind, name: string): void {
  if (!server.store.list(kind).some(({ metadata }) => metadata.name === name)) return;
  server.remove(kind, `default/${name}`);
  histories[kind].push(stored(server, kind));
}

function stored(server: ApiServer, kind: Kind): string {
  return textOf(server.store.list(kind).map(({ metadata, spec }) => [metadata.name, versionIn(spec)]));
}

/** The version that a spec, or what was decoded of it, names. */
function versionIn(value: unknown): string {
  return /1\d{4}/.exec(JSON.stringify(value))?.[0] ?? 'none';
}

function textOf(versionsByName: readonly (readonly [string, string])[]): string {
  return versionsByName
    .map(([name, version]) => `${name}=${version}`)
    .toSorted()
    .join(' ');
}

const kind = fc.constantFrom(...kinds);
const name = fc.constantFrom('a', 'b', 'c', 'd');
const version = fc.integer({ min: 10_000, max: 19_999 });
const written = fc.tuple(kind, name, version, fc.boolean());
const change = fc.oneof(
  written.map(
    ([of, named, at, isLarge]): Step =>
      (world) =>
        put(world, of, { name: named, spec: versions[of](at), ...(isLarge && { annotations: large }) }),
  ),
  fc.tuple(kind, name).map(
    ([of, named]): Step =>
      (world) =>
        remove(world, of, named),
  ),
);
/** Many at once are a batch of many parts. */
const changes = fc.array(change, { minLength: 1, maxLength: 8 }).map(
  (all): Step =>
    async (world) => {
      for (const one of all) await one(world);
    },
);
const disturb = fc
  .tuple(
    kind,
    fc.constantFrom<((server: ApiServer, of: Kind) => void)[]>(
      (server, of) => server.watches(of)[0]?.end(),
      (server, of) => server.watches(of)[0]?.reset(),
      (server, of) => server.watches(of)[0]?.send('{"type":"ADDED","object":{}}\n'),
      (server, of) => {
        const newest = server.store.since(of, 0).at(-1);
        if (newest !== undefined) server.watches(of)[0]?.send(line(newest));
      },
      (server) => {
        server.store.pass();
        server.store.compact();
      },
    ),
  )
  .map(
    ([of, how]): Step =>
      ({ server }) =>
        how(server, of),
  );
const faults: readonly Fault[] = [
  { does: 'answer', status: 500 },
  { does: 'answer', status: 410 },
  { does: 'answer', status: 429 },
  { does: 'reset' },
  { does: 'say', text: '{"kind":"List","metadata":{"resourceVersion":"1"},"items":[', next: 'end' },
];
/** The next request fails, and is made soon. */
const fail = fc.tuple(kind, fc.constantFrom(...faults), fc.constantFrom('end', 'reset')).map(
  ([of, fault, how]): Step =>
    async ({ server }) => {
      await server.watchOpened(of);
      server.injectFault(requestsFor(of), fault, 1);
      server.watches(of)[0]?.[how]();
    },
);
/** Each step with the number of turns of the event loop after it. */
const steps = fc.array(fc.tuple(fc.oneof(changes, changes, disturb, fail), fc.nat(30)), {
  minLength: 5,
  maxLength: 30,
  size: 'max',
});

/** Runs delays of less than a minute 10,000 times faster, and longer ones never. */
const hurried: Clock = {
  ...systemClock,
  after: (milliseconds, run) =>
    milliseconds < 60_000 ? systemClock.after(milliseconds / 10_000, run) : () => undefined,
};

/** Of each kind, what a batch and those before it add up to, once for each batch that is complete. */
function shownBy(batches: readonly Batch[]): readonly Readonly<Record<Kind, string>>[] {
  const held = new Map<string, Resource>();
  const textOfKind = (of: Kind): string =>
    textOf(
      [...held]
        .filter(([, one]) => one.kind === of)
        .map(([key, one]) => [key.slice(`${of} default/`.length), versionIn(one)]),
    );
  return batches.flatMap(({ changes: all, more }) => {
    for (const { kind: of, key, resource } of all) {
      if (resource === undefined) held.delete(`${of} ${key}`);
      else held.set(`${of} ${key}`, resource);
    }
    return more === true ? [] : [{ Service: textOfKind('Service'), MCPAuthPolicy: textOfKind('MCPAuthPolicy') }];
  });
}

async function play(history: readonly (readonly [Step, number])[]): Promise<ClusterRig & World> {
  const cluster = await startCluster(undefined, { clock: hurried, debounce: { idle: 50_000, ceiling: 59_000 } });
  const world = { ...cluster, histories: { Service: [''], MCPAuthPolicy: [''] } };
  await cluster.until(() => cluster.synced);
  for (const [step, turns] of history) {
    await step(world);
    for (let turn = 0; turn < turns; turn += 1) await new Promise(setImmediate);
  }
  cluster.server.clearFaults();
  for (const of of kinds) put(world, of, { name: 'last', spec: versions[of](10_000) });
  const arrived = (): boolean => kinds.every((of) => cluster.resources.has(`${of} default/last`));
  await cluster.until(() => arrived() && cluster.all.at(-1)?.more !== true);
  await cluster.stop();
  await cluster.server.down();
  return world;
}

it('large batches of two kinds are shown whole, in the order of the server, and none is left open', async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (history) => {
      const { all, histories } = await play(history);
      for (const of of kinds) {
        let from = 0;
        for (const shown of shownBy(all)) {
          const at = histories[of].indexOf(shown[of], from);
          expect(at, `${of}: ${shown[of]} after ${histories[of][from]}`).toBeGreaterThanOrEqual(0);
          from = at;
        }
        expect(from).toBe(histories[of].length - 1);
      }
    }),
    { numRuns: 15 },
  );
});
