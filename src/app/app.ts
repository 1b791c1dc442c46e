import { readFile } from 'node:fs/promises';
import packageJson from '../../package.json' with { type: 'json' };
import type { ListenAddress } from '../cli/flags.ts';
import type { ServeSettings } from '../cli/serve-flags.ts';
import { createMetrics, type Metrics, startDebug } from '../debug/debug.ts';
import type { Clock, Logger, Random, StopAsync } from '../edges.ts';
import type { Commit } from '../graph/model.ts';
import { type AdsServer, createAdsServer, startAdmin } from '../serve/serve.ts';
import { versionOfAll } from '../wire/wire.ts';
import type { Input } from './input.ts';
import { addressText, listening } from './errors.ts';
import { openInput } from './input-from-files.ts';
import { createPipeline, type Pipeline } from './pipeline.ts';

export interface AppParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

type Addresses = Readonly<Record<'xds' | 'debug' | 'metrics' | 'admin', ListenAddress>>;

/** The control plane, running. */
export interface RunningApp {
  /** Where it really listens. */
  readonly listening: Addresses;
  /** Stops accepting, tells streams to go elsewhere, and settles when nothing is left. */
  readonly stop: StopAsync;
}

/** The stages that were built and not started. */
interface Stages {
  readonly metrics: Metrics;
  readonly pipeline: Pipeline;
  readonly input: Input;
  readonly ads: AdsServer;
  readonly log: Logger;
}

/** The generated description of every message, for showing what is on the wire. */
const descriptors = new URL('../gen/descriptors.binpb', import.meta.url);

/**
 * Builds the stages, connects them and starts them: first whoever listens, then the source, so that a node that
 * connects early is told to come back instead of being refused. `committed` is called after every commit, when the
 * snapshots are up to date. Throws an EnvironmentError when a port is in use, or a cluster cannot be told.
 */
export async function startApp(
  settings: ServeSettings,
  parts: AppParts,
  committed: (commit: Commit) => void = () => undefined,
): Promise<RunningApp> {
  const stages = await build(settings, parts);
  const started: StopAsync[] = [stages.input.stop];
  const stop = async (): Promise<void> => {
    for (const end of started.splice(0).reverse()) await end();
  };
  try {
    const addresses = await listen(settings, stages, started);
    tellAddresses(parts.log, addresses);
    // Stopped first: nothing changes any more while the streams end.
    started.push(await follow(stages, committed));
    return { listening: addresses, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function build(settings: ServeSettings, { clock, random, log }: AppParts): Promise<Stages> {
  const metrics = createMetrics();
  const pipeline = createPipeline(settings, { log, counters: metrics });
  const { translation, snapshots, synced } = pipeline;
  const input = await openInput(settings, { translation, clock, random, log, counters: metrics });
  const identifier = `${settings.replica} gatehouse/${packageJson.version}`;
  const ads = createAdsServer(
    { ...settings, maxRequest: settings.receiveLimit, identifier },
    {
      snapshots,
      ready: synced,
      clusterDomain: settings.clusterDomain,
      clock,
      random,
      log,
      counters: metrics,
      refused: (refusal) => input.refused(refusal),
    },
  );
  return { metrics, pipeline, input, ads, log };
}

/** Opens the listeners one after another. What was opened is added to `started`, also when the next one fails. */
async function listen(settings: ServeSettings, stages: Stages, started: StopAsync[]): Promise<Addresses> {
  const { metrics, pipeline, input, ads, log } = stages;
  const { xdsListen, debugListen, metricsListen, adminListen } = settings;
  const descriptorSet = await readFile(descriptors);
  const look = {
    ...pipeline,
    digest: versionOfAll,
    problems: () => input.source.problems(),
    nodes: () => ads.nodes(),
    metrics,
    descriptorSet,
    log,
  };
  const debug = await listening({ 'debug-listen': debugListen, 'metrics-listen': metricsListen }, () =>
    startDebug(settings, look),
  );
  started.push(debug.stop);
  const forOperators = { health: ads.health, clients: () => ads.clients(), descriptorSet, log };
  const admin = await listening({ 'admin-listen': adminListen }, () => startAdmin(adminListen, forOperators));
  started.push(admin.stop);
  const xds = await listening({ 'xds-listen': xdsListen }, () => ads.start(xdsListen));
  started.push(() => ads.stop(settings.shutdownGrace));
  return { xds, ...debug.addresses, admin: admin.address };
}

/** Takes over what the source delivers, from now on. */
function follow({ pipeline, input, ads, log }: Stages, committed: (commit: Commit) => void): Promise<StopAsync> {
  let told = false;
  return input.source.start((batch) => {
    const commit = pipeline.deliver(batch);
    input.applied(commit, batch);
    // Not "was it synced before": a batch that was applied in part is delivered again, and is no news to the pipeline.
    if (!told && pipeline.synced()) {
      told = true;
      log.info('synced: everything was read once, and gateways are served from now on');
      ads.health.changed();
      input.synced();
    }
    committed(commit);
  });
}

function tellAddresses(log: Logger, addresses: Addresses): void {
  for (const [listener, address] of Object.entries(addresses)) {
    log.info('listening', { listener, address: addressText(address) });
  }
}
