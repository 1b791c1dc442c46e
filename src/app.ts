import { readFile } from 'node:fs/promises';
import packageJson from '../package.json' with { type: 'json' };
import type { ServeSettings } from './config.ts';
import { createMetrics, startDebug } from './debug/debug.ts';
import type { Clock, Logger, Random, StopAsync } from './edges.ts';
import type { ListenAddress } from './flags.ts';
import type { Commit } from './graph/model.ts';
import { addressText, listening } from './listening.ts';
import { createPipeline } from './pipeline.ts';
import { createAdsServer, startAdmin } from './serve/serve.ts';
import { fileSource } from './source/source.ts';
import { reportStatuses } from './status-log.ts';
import { versionOfAll } from './wire/wire.ts';

export interface AppParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/** The control plane, running. */
export interface RunningApp {
  /** Where it really listens. */
  readonly listening: Readonly<Record<'xds' | 'debug' | 'metrics' | 'admin', ListenAddress>>;
  /** Stops accepting, tells streams to go elsewhere, and settles when nothing is left. */
  readonly stop: StopAsync;
}

/** The generated description of every message, for showing what is on the wire. */
const descriptors = new URL('gen/descriptors.binpb', import.meta.url);

/**
 * Builds the stages, connects them and starts them: first whoever listens, then the source, so that a node that
 * connects early is told to come back instead of being refused. `committed` is called after every commit, when the
 * snapshots are up to date. Throws an EnvironmentError when a port is in use.
 */
export async function startApp(
  settings: ServeSettings,
  { clock, random, log }: AppParts,
  committed: (commit: Commit) => void = () => undefined,
): Promise<RunningApp> {
  const metrics = createMetrics();
  const pipeline = createPipeline(settings, { log, counters: metrics });
  const source = fileSource({
    roots: settings.filenames,
    namespaces: settings.namespaces,
    quiet: settings.quiet,
    clock,
    log,
    counters: metrics,
  });
  const ads = createAdsServer(
    {
      ...settings,
      maxRequest: settings.receiveLimit,
      identifier: `${settings.replica} gatehouse/${packageJson.version}`,
    },
    {
      snapshots: pipeline.snapshots,
      ready: pipeline.synced,
      clusterDomain: settings.clusterDomain,
      clock,
      random,
      log,
      counters: metrics,
    },
  );
  const descriptorSet = await readFile(descriptors);
  const started: StopAsync[] = [];
  const stop = async (): Promise<void> => {
    for (const end of started.splice(0).reverse()) await end();
  };
  const { xdsListen, debugListen, metricsListen, adminListen } = settings;
  try {
    const look = {
      ...pipeline,
      digest: versionOfAll,
      problems: () => source.problems(),
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
    const addresses = { xds, ...debug.addresses, admin: admin.address };
    tellAddresses(log, addresses);
    const stopSource = await source.start((batch) => {
      const wasSynced = pipeline.synced();
      const commit = pipeline.deliver(batch);
      reportStatuses(log, pipeline.translation, commit);
      if (!wasSynced && pipeline.synced()) {
        log.info('synced: everything was read once, and gateways are served from now on');
        ads.health.changed();
      }
      committed(commit);
    });
    // Stopped first: nothing changes any more while the streams end.
    started.push(stopSource);
    return { listening: addresses, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function tellAddresses(log: Logger, addresses: Readonly<Record<string, ListenAddress>>): void {
  for (const [listener, address] of Object.entries(addresses)) {
    log.info('listening', { listener, address: addressText(address) });
  }
}
