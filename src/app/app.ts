import { readFile } from 'node:fs/promises';
import packageJson from '../../package.json' with { type: 'json' };
import { createMetrics, type DebugParts, type Metrics, startDebug } from '../debug/debug.ts';
import type { Clock, Logger, LogLevelControl, LogLosses, Random, Stop, StopAsync } from '../edges.ts';
import { answerInSteps } from '../explain/explain.ts';
import type { Change, Commit } from '../graph/model.ts';
import { formatHostPort, type HostPort } from '../net/host-port.ts';
import { LogThrottle } from '../rate/log-throttle.ts';
import { type AdsServer, createAdsServer, startAdmin } from '../serve/serve.ts';
import type { Batch } from '../source/model.ts';
import { type KeySource, keySource } from '../source/source.ts';
import type { CommitTraces } from '../trace/trace.ts';
import { agentgateway, versionOfAll } from '../wire/wire.ts';
import { openSecurity, type Security } from './access/security.ts';
import { CommitTimes } from './commit-times.ts';
import { configView } from './config-view.ts';
import { withListenFlags } from './errors.ts';
import type { Input, InputParts } from './input.ts';
import { openFiles } from './input-from-files.ts';
import { createPipeline, failuresOf, type Pipeline } from './pipeline.ts';
import type { ServeSettings } from './settings.ts';

/** Time, chance and log of the control plane. */
export interface AppParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly logLevel: LogLevelControl & LogLosses;
}

type Addresses = Readonly<Record<'xds' | 'debug' | 'metrics' | 'admin', HostPort>>;

/** The control plane, running. */
export interface RunningApp {
  /** The bound addresses. */
  readonly listening: Addresses;
  /** Stops in this order: input, xDS (streams end with UNAVAILABLE, after the grace time by a reset), admin, debug. */
  readonly stop: StopAsync;
}

/** The stages, built and not started. */
interface Stages extends AppParts {
  readonly metrics: Metrics;
  readonly times: CommitTimes;
  readonly pipeline: Pipeline;
  readonly input: Input;
  readonly keys: KeySource;
  readonly security: Security;
  readonly ads: AdsServer;
}

/**
 * The `FileDescriptorSet` of every message on the wire: gRPC reflection serves it, the debug endpoint decodes with it.
 */
const descriptors = new URL('../gen/descriptors.binpb', import.meta.url);

/**
 * Builds the stages, connects them and starts them. Listeners open before the source starts, so that a node that
 * connects early gets UNAVAILABLE and retries instead of a refused connection.
 *
 * @param committed called after each commit with its batch; the snapshots are up to date after the last part of a change
 * @throws EnvironmentError when an address cannot be bound, or when the cluster to watch is not described
 */
export async function startApp(
  settings: ServeSettings,
  parts: AppParts,
  committed: (commit: Commit, batch: Batch) => void = () => undefined,
): Promise<RunningApp> {
  const stages = await build(settings, parts);
  const started: StopAsync[] = [stages.times.stop, stages.input.stop, stages.security.stop];
  const stop = async (): Promise<void> => {
    for (const end of started.splice(0).reverse()) await end();
  };
  try {
    const addresses = await listen(settings, stages, started);
    for (const [listener, address] of Object.entries(addresses)) {
      parts.log.info('listening', { listener, address: formatHostPort(address) });
    }
    // The sources stop first, so that no commit happens while streams end.
    started.push(stages.keys.stop);
    started.push(await startSource(stages, committed));
    return { listening: addresses, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function build(settings: ServeSettings, parts: AppParts): Promise<Stages> {
  const { clock, random, log, logLevel } = parts;
  const metrics = createMetrics(logLevel);
  metrics.gauge('gatehouse_build_info', 1, { version: packageJson.version, node_version: process.versions.node });
  const times = new CommitTimes({ clock, counters: metrics, traces: await openTraces(settings, parts) });
  const { translated } = times;
  const pipeline = createPipeline(settings, { log, counters: metrics, translated });
  const { translation, explainer, snapshots } = pipeline;
  const keys = keySource(settings.keyFetching, { clock, random, log, counters: metrics });
  const ready = (): boolean => pipeline.synced() && keys.settled;
  const input = await openInput(settings, { translation, explainer, clock, random, log, counters: metrics });
  const { connection } = input;
  const denied: Input['denied'] = (claim) => input.denied(claim);
  const security = await openSecurity(settings, { clock, log, counters: metrics, connection, denied });
  const identifier = `${settings.replica} gatehouse/${packageJson.version}`;
  const ads = createAdsServer(
    { ...settings, maxRequest: settings.receiveLimit, identifier },
    {
      snapshots,
      nodeTypes: [agentgateway.addressType],
      ready,
      clusterDomain: settings.clusterDomain,
      clock,
      random,
      log,
      counters: metrics,
      tls: security.tls,
      auth: security.auth,
      rejected: (response) => input.rejected(response),
      updates: times.changes,
    },
  );
  return { ...parts, metrics, times, pipeline: { ...pipeline, synced: ready }, input, keys, security, ads };
}

/** Opens the export of traces, when it is wanted. */
async function openTraces(
  { tracesUrl, replica }: ServeSettings,
  { clock, log }: AppParts,
): Promise<CommitTraces | undefined> {
  if (tracesUrl === undefined) return undefined;
  // Loaded on demand: the SDK of OpenTelemetry costs memory and start-up time.
  const { openCommitTraces } = await import('../trace/trace.ts');
  const resource = {
    'service.name': 'gatehouse',
    'service.version': packageJson.version,
    'service.instance.id': replica,
  };
  return openCommitTraces({ url: tracesUrl, resource }, { clock, log });
}

/** Opens the input that the settings select; no I/O before its source starts. */
async function openInput(settings: ServeSettings, parts: InputParts): Promise<Input> {
  const { input, namespaces } = settings;
  if (input.from === 'files') return openFiles(input, namespaces, parts);
  // Loaded on demand: the Kubernetes client costs memory and start-up time.
  const { openCluster } = await import('./input-from-cluster.ts');
  return openCluster(settings, input, parts);
}

/** Opens the listeners one after another. The stop of each is added to `started`, also when a later one fails. */
async function listen(settings: ServeSettings, stages: Stages, started: StopAsync[]): Promise<Addresses> {
  const { metrics, ads, clock, log } = stages;
  const { xdsListen, debugListen, metricsListen, adminListen } = settings;
  const descriptorSet = await readFile(descriptors);
  const debugParts = debugPartsOf(settings, stages, descriptorSet);
  const debug = await withListenFlags({ 'debug-listen': debugListen, 'metrics-listen': metricsListen }, () =>
    startDebug(settings, debugParts),
  );
  started.push(debug.stop);
  const security = stages.security.operators;
  const clients = ads.clients.bind(ads);
  const adminParts = { health: ads.health, clients, descriptorSet, clock, counters: metrics, log, security };
  const admin = await withListenFlags({ 'admin-listen': adminListen }, () => startAdmin(adminListen, adminParts));
  started.push(admin.stop);
  const xds = await withListenFlags({ 'xds-listen': xdsListen }, () => ads.start(xdsListen));
  started.push(() => ads.stop(settings.shutdownGrace));
  return { xds, ...debug.addresses, admin: admin.address };
}

/** Rules of one answer of `/debug/explain`: each place takes a look into its file. */
const mostGrants = 1_000;

function debugPartsOf(settings: ServeSettings, stages: Stages, descriptorSet: Uint8Array): DebugParts {
  const { pipeline, input, ads, clock, times } = stages;
  const { explainer, graph } = pipeline;
  const { replica } = settings;
  const program = { version: packageJson.version, startedAt: clock.now(), replica, source: input.origin };
  return {
    ...stages,
    ...pipeline,
    changes: times.changes,
    security: stages.security.operators,
    digest: versionOfAll,
    problems: () => input.source.diagnostics(),
    nodes: (gateway) => ads.nodes(gateway),
    placesOf: input.placesOf,
    manifestOf: input.manifestOf,
    answer: (question) => answerInSteps(explainer, question, mostGrants),
    epoch: () => graph.epoch,
    config: configView(settings),
    program,
    descriptorSet,
  };
}

/** Starts the sources; each of their batches becomes a commit. */
async function startSource(stages: Stages, committed: (commit: Commit, batch: Batch) => void): Promise<StopAsync> {
  const { pipeline, input, keys, ads, security, log, times } = stages;
  // A flag of its own: a source delivers a batch again when its delivery threw, and by then the pipeline is synced.
  let announced = false;
  const tell = consumers({ ...stages, counters: stages.metrics });
  const announce = (): void => {
    if (announced || !pipeline.synced()) return;
    announced = true;
    log.info('synced: everything was read once, and gateways are served from now on');
    tell(
      () => ads.health.changed(),
      () => input.synced(),
    );
  };
  const needKeys = keyNeeds((need, needed) => {
    const end = need.indexOf(' ');
    keys.need(need.slice(end + 1), needed, need.slice(0, end));
  });
  const statuses = postponedStatuses(stages);
  pipeline.graph.postpone();
  const apply = (batch: Batch): void => {
    // Before the snapshots change: a stream that has lost its right gets nothing of the commit.
    const { commit, failures } = times.deliver(pipeline, batch, announced ? 'change' : 'start', (gateways) => {
      ads.recheck(security.bindings?.applied(gateways) ?? []);
    });
    // What is told of a commit is no part of it: to deliver it again would tell nothing, and one that always throws would
    // keep the source from ever being synced.
    tell(
      () => input.applied(commit, batch),
      () => needKeys(commit.changes(pipeline.translation.jwksUris), batch.more),
      () => {
        if (batch.synced && !batch.more) keys.begin();
      },
      () => {
        if (!batch.more) announce();
      },
      () => committed(commit, batch),
    );
    if (batch.more) statuses.stop();
    else statuses.resumeLater();
    // The source says so, and delivers once more.
    if (failures.length > 0) throw failures[0];
  };
  const from = joinedSources(apply);
  keys.start(from.keys, announce);
  const stopSource = await input.source.start(from.input);
  return async () => {
    await stopSource();
    statuses.stop();
  };
}

/**
 * Returns the function that tells consumers of what was applied. One that throws, which is a bug of it, keeps nothing from
 * the others, nor from whoever applied it.
 */
export function consumers({
  clock,
  log,
  counters,
}: Pick<InputParts, 'clock' | 'log' | 'counters'>): (...told: readonly (() => void)[]) => void {
  const throttle = new LogThrottle(clock, log);
  return (...told) => {
    for (const error of failuresOf(...told)) {
      counters.count('gatehouse_graph_failures_total', { collection: 'consumers' });
      const message = 'internal error: a change counts, and not all that is told of it was told';
      if (throttle.admit('', String(error))) log.error(message, { error });
    }
  };
}

/** Milliseconds between two parts of the statuses that a commit has postponed, each of which takes 5 to 40 ms. */
const restOfStatuses = 20;

/** What statuses are computed by, and told to. */
export interface PostponedStatusesParts extends Pick<AppParts, 'clock' | 'log'> {
  readonly pipeline: Pick<Pipeline, 'synced'> & { readonly graph: Pick<Pipeline['graph'], 'resume' | 'isUnfinished'> };
  readonly input: Pick<Input, 'applied'>;
}

/** Goes on with the statuses that commits have postponed, a part at a time: nodes and their calls do not wait for them. */
export function postponedStatuses({ pipeline, input, clock, log }: PostponedStatusesParts): {
  readonly resumeLater: () => void;
  readonly stop: Stop;
} {
  let stop: Stop | undefined;
  const resume = (): void => {
    stop = undefined;
    const batch: Batch = { changes: [], synced: pipeline.synced() };
    const [error] = failuresOf(() => input.applied(pipeline.graph.resume(), batch));
    if (error !== undefined) log.error('internal error: statuses could not be told', { error });
    resumeLater();
  };
  const resumeLater = (): void => {
    if (pipeline.graph.isUnfinished) stop ??= clock.after(restOfStatuses, resume);
  };
  return {
    resumeLater,
    stop: () => {
      stop?.();
      stop = undefined;
    },
  };
}

/**
 * Joins the batches of two sources. What issuers publish between two parts of a batch of the input is a part of it: it
 * must not make those before it count.
 */
export function joinedSources(
  apply: (batch: Batch) => void,
): Readonly<Record<'input' | 'keys', (batch: Batch) => void>> {
  let more = false;
  return {
    input: (batch) => {
      more = batch.more === true;
      apply(batch);
    },
    keys: (batch) => apply({ ...batch, more }),
  };
}

/**
 * Returns the function that tells which URIs of keys are needed, once a change is complete. Between two parts of it nobody
 * may need a URI that one policy hands over to another, and the keys would be forgotten, and fetched again.
 *
 * @param need called with each key of `jwksUris`
 */
export function keyNeeds(
  need: (key: string, needed: boolean) => void,
): (changes: readonly Pick<Change<unknown>, 'key' | 'after'>[], more: Batch['more']) => void {
  const needed = new Map<string, boolean>();
  return (changes, more) => {
    for (const { key, after } of changes) needed.set(key, after !== undefined);
    if (more === true) return;
    // What is handed over is needed by the next one first.
    for (const isNeeded of [true, false]) for (const [key, is] of needed) if (is === isNeeded) need(key, isNeeded);
    needed.clear();
  };
}
