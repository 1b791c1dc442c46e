import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Clock } from '../../../src/edges.ts';
import { type ApiServer, line } from '../../support/api-server/api-server.ts';
import type { Fault } from '../../support/api-server/faults.ts';
import { systemClock } from '../../support/edges/system-clock.ts';
import { mcpService, requestsFor, startCluster } from './cluster-rig.ts';

const faults: readonly Fault[] = [
  { does: 'answer', status: 500 },
  { does: 'answer', status: 410 },
  { does: 'answer', status: 401 },
  { does: 'answer', status: 403 },
  { does: 'answer', status: 404 },
  { does: 'answer', status: 429 },
  { does: 'html', status: 200 },
  { does: 'html', status: 404 },
  { does: 'reset' },
  { does: 'say', text: '', next: 'end' },
  { does: 'say', text: '{"type":"ADDED","object":{"metadata":{"name":"a"', next: 'break' },
  { does: 'say', text: '{"kind":"ServiceList","metadata":{"resourceVersion":"1"},"items":[', next: 'end' },
];

/** One step of a history: a change of an object, or a fault of the server. */
type Step = (server: ApiServer) => void | Promise<void>;

const names = fc.constantFrom('a', 'b', 'c', 'd');
const put = fc.tuple(names, fc.integer({ min: 1, max: 9 })).map(
  ([name, port]): Step =>
    (server) =>
      server.put('Service', mcpService(name, port)),
);
const remove = names.map(
  (name): Step =>
    (server) =>
      removeIfThere(server, name),
);
const recreate = names.map(
  (name): Step =>
    (server) => {
      removeIfThere(server, name);
      server.put('Service', mcpService(name));
    },
);
const disturb = fc.constantFrom<Step[]>(
  (server) => server.watches('Service')[0]?.end(),
  (server) => server.watches('Service')[0]?.reset(),
  (server) => server.watches('Service')[0]?.send('{"type":"ADDED","object":{}}\n'),
  (server) => server.bookmark('Service'),
  // Repeats the newest event.
  (server) => {
    const newest = server.store.since('Service', 0).at(-1);
    if (newest !== undefined) server.watches('Service')[0]?.send(line(newest));
  },
  (server) => {
    server.store.pass();
    server.store.compact();
  },
);
/** The next request fails, and is made soon. */
const fail = fc.tuple(fc.constantFrom(...faults), fc.constantFrom('end', 'reset')).map(
  ([fault, how]): Step =>
    async (server) => {
      await server.watchOpened('Service');
      server.injectFault(requestsFor('Service'), fault, 1);
      server.watches('Service')[0]?.[how]();
    },
);
/** Each step with the number of turns of the event loop after it. */
const steps = fc.array(fc.tuple(fc.oneof(put, put, remove, recreate, disturb, fail, fail), fc.nat(30)), {
  minLength: 10,
  maxLength: 60,
  size: 'max',
});

function removeIfThere(server: ApiServer, name: string): void {
  const there = server.store.list('Service').some(({ metadata }) => metadata.name === name);
  if (there) server.remove('Service', `default/${name}`);
}

/** Runs delays of less than a minute 10,000 times faster, and longer ones never. */
const hurried: Clock = {
  ...systemClock,
  after: (milliseconds, run) =>
    milliseconds < 60_000 ? systemClock.after(milliseconds / 10_000, run) : () => undefined,
};

it('the source converges to the state of the server, whatever fails in between', async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (history) => {
      const cluster = await startCluster(undefined, { clock: hurried });
      const { server } = cluster;
      await cluster.until(() => cluster.synced);
      for (const [step, turns] of history) {
        await step(server);
        for (let turn = 0; turn < turns; turn += 1) await new Promise(setImmediate);
      }
      server.clearFaults();
      // Events are in order: with the last one, all before it were received.
      server.put('Service', mcpService('last'));
      await cluster.until(() => cluster.resources.has('Service default/last'));
      const there = server.store.list('Service').map(({ metadata, spec }) => {
        const { name, uid, resourceVersion } = metadata;
        return [`Service default/${name}`, spec, { uid, resourceVersion }] as const;
      });
      expect([...cluster.resources.keys()].sort()).toEqual(there.map(([key]) => key).sort());
      for (const [key, spec, identity] of there) {
        const name = key.slice('Service '.length);
        expect({ ports: [{ port: cluster.port(name) }] }).toMatchObject(portsOf(spec));
        expect(cluster.source.identify('Service', name)).toEqual(identity);
      }
      await cluster.stop();
      await server.down();
    }),
    { numRuns: 50 },
  );
});

function portsOf(spec: unknown): object {
  const { ports } = spec as { readonly ports: readonly { readonly port: number }[] };
  return { ports: ports.map(({ port }) => ({ port })) };
}
