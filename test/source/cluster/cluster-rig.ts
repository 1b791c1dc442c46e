import { onTestFinished } from 'vitest';
import type { Clock, Counters, Logger, StopAsync } from '../../../src/edges.ts';
import type { KindName } from '../../../src/resources/model.ts';
import { kinds } from '../../../src/resources/resources.ts';
import type { Observation } from '../../../src/source/model.ts';
import { type ClusterSource, type ClusterSourceOptions, clusterSource } from '../../../src/source/source.ts';
import { createPlainConnection, type PlainConnection } from '../../support/api-server/api-connection.ts';
import { type ApiServer, startApiServer } from '../../support/api-server/api-server.ts';
import type { ReceivedRequest } from '../../support/api-server/faults.ts';
import { createManualClock, type ManualClock } from '../../support/edges/manual-clock.ts';
import { createRecordedCounters, type RecordedCounters } from '../../support/edges/recorded-counters.ts';
import { createRecordedLog, type RecordedLog } from '../../support/edges/recorded-log.ts';
import { type Batches, createBatches } from '../../support/worlds/batches.ts';

/** A source over an API server of the test's own, with a manual clock. Random numbers are one half. */
export interface ClusterRig extends Batches {
  readonly server: ApiServer;
  readonly connection: PlainConnection;
  readonly source: ClusterSource;
  readonly clock: ManualClock;
  readonly log: RecordedLog;
  readonly counters: RecordedCounters;
  /** Settles once the condition holds; checks it after each log line, count, delivery and timer. */
  eventually(condition: () => boolean): Promise<void>;
  /** Waits for a timer of this delay, then advances the clock by it. */
  pass(milliseconds: number): Promise<void>;
  /** Settles once every kind is watched, the first batch was delivered, and the debounce is idle. */
  settled(): Promise<void>;
  /** The first MCP port of a Service. */
  port(key: string): number | undefined;
  /** The last observation of an object. */
  observed(kind: KindName, key: string): Observation | undefined;
  /** Place and message of each diagnostic. */
  problems(): readonly string[];
  stop: StopAsync;
}

/** The backoffs of failures in a row, in milliseconds, with random numbers of one half. */
export const waits: readonly number[] = [600, 1200, 2400, 4800, 9600, 19_200, 22_500, 22_500];

/** Starts a source over a server; it is stopped with the test. Its consumer throws at an object named `throws`. */
export async function startCluster(
  prepare: (server: ApiServer) => void | Promise<void> = () => undefined,
  more: Partial<ClusterSourceOptions> = {},
): Promise<ClusterRig> {
  const server = await startApiServer();
  await prepare(server);
  const news = createNews();
  const manual = createManualClock();
  const recordedLog = createRecordedLog();
  const recordedCounters = createRecordedCounters();
  const batches = createBatches();
  const connection = createPlainConnection(server.url);
  const source = clusterSource({
    connection,
    clock: news.clock(manual),
    random: () => 0.5,
    log: news.log(recordedLog),
    counters: news.counters(recordedCounters),
    ...more,
  });
  const stop = await source.start((batch) => {
    if (batch.changes.some(({ key }) => key === 'default/throws')) throw new Error('on purpose');
    batches.deliver(batch);
    news.look();
  });
  onTestFinished(stop);
  const rig = { server, connection, source, clock: manual, log: recordedLog, counters: recordedCounters, stop };
  return Object.assign(batches, rig, looking(rig, batches, news.eventually));
}

type Looks = Pick<ClusterRig, 'eventually' | 'pass' | 'settled' | 'port' | 'observed' | 'problems'>;

function looking(
  { counters, source, clock }: Pick<ClusterRig, 'counters' | 'source' | 'clock'>,
  batches: Batches,
  eventually: ClusterRig['eventually'],
): Looks {
  return {
    eventually,
    async pass(milliseconds) {
      await eventually(() => clock.waiting().includes(milliseconds));
      clock.advance(milliseconds);
    },
    async settled() {
      await batches.until(() => batches.synced);
      for (const kind of Object.keys(kinds)) {
        await eventually(() => counters.total('gatehouse_source_watches_total', { kind }) > 0);
      }
      clock.advance(10);
    },
    port(key) {
      const resource = batches.resources.get(`Service ${key}`);
      const [port] = resource?.kind === 'Service' ? resource.mcpPorts : [];
      return port?.ok ? port.value.port : undefined;
    },
    observed: (kind, key) =>
      batches.all
        .flatMap(({ observations = [] }) => observations)
        .findLast((one) => one.kind === kind && one.key === key),
    problems: () => source.diagnostics().map(({ place, message }) => `${place} ${message}`),
  };
}

/** A Service with one MCP port. */
export function mcpService(name: string, port = 80): { readonly name: string; readonly spec: unknown } {
  return { name, spec: { clusterIP: '10.0.0.1', ports: [{ port, appProtocol: 'kgateway.dev/mcp' }] } };
}

/** Requests for the collection of a kind. */
export function requestsFor(kind: KindName, verb?: ReceivedRequest['verb']): (asked: ReceivedRequest) => boolean {
  return (asked) => asked.path.endsWith(`/${kinds[kind].plural}`) && (verb === undefined || asked.verb === verb);
}

/** Wraps the edges of a source, and checks the awaited conditions after each call. */
function createNews() {
  let waiting: readonly { readonly condition: () => boolean; readonly resolve: () => void }[] = [];
  const look = (): void => {
    const settled = waiting.filter(({ condition }) => condition());
    waiting = waiting.filter((one) => !settled.includes(one));
    for (const { resolve } of settled) resolve();
  };
  const log = (to: Logger): Logger => {
    const logged =
      (level: 'debug' | 'info' | 'warn' | 'error'): Logger['info'] =>
      (message, fields) => {
        to[level](message, fields);
        look();
      };
    return {
      debug: logged('debug'),
      info: logged('info'),
      warn: logged('warn'),
      error: logged('error'),
      child: () => to,
    };
  };
  return {
    look,
    log,
    clock: (to: ManualClock): Clock => ({
      ...to,
      after: (milliseconds, run) => {
        const stop = to.after(milliseconds, run);
        look();
        // The next turn of the event loop is one of the test as well.
        if (milliseconds === 0) setImmediate(() => to.advance(0));
        return stop;
      },
    }),
    counters: (to: Counters): Counters => ({
      ...to,
      count: (name, labels, by) => {
        to.count(name, labels, by);
        look();
      },
    }),
    eventually: (condition: () => boolean): Promise<void> => {
      if (condition()) return Promise.resolve();
      const { promise, resolve } = Promise.withResolvers<void>();
      waiting = [...waiting, { condition, resolve }];
      return promise;
    },
  };
}
