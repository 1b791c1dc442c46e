import packageJson from '../../../package.json' with { type: 'json' };
import type { Clock, Counters, Logger, Random } from '../../edges.ts';
import { type ClusterAccess, connectKube, KubeConfigError } from '../../kube/kube.ts';
import type { KubeConnection } from '../../kube/model.ts';
import { readClusterOnce } from '../../source/source.ts';
import type { TranslationSettings } from '../../translate/model.ts';
import { EnvironmentError } from '../errors.ts';
import { type OfflineWorld, translateOnce } from './offline.ts';

/** Which cluster is read, and which of its namespaces. */
export interface OfflineClusterSettings extends TranslationSettings {
  readonly access: ClusterAccess;
  /** Namespaces to read; all when empty. */
  readonly namespaces: readonly string[];
}

/** Dependencies of commands that read a cluster once. */
export interface OfflineClusterParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/** Milliseconds in which every kind must have been listed. */
const timeout = 30_000;

const noCounters: Counters = { count: () => undefined, gauge: () => undefined, observe: () => undefined };

const silent: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => silent,
};

/**
 * Reads a cluster once and translates it. Writes nothing to it.
 *
 * @throws EnvironmentError when the cluster is not described, does not answer, or may not be read
 */
export async function openOfflineCluster(
  settings: OfflineClusterSettings,
  { clock, random, log }: OfflineClusterParts,
): Promise<OfflineWorld> {
  const connection = await connect(settings.access, clock);
  try {
    await requireAnswer(connection);
    const { namespaces } = settings;
    const options = { connection, namespaces, clock, random, log: silent, counters: noCounters };
    const { batch, ...read } = await readClusterOnce(options, timeout);
    if (batch !== undefined) return translateOnce(settings, { ...read, batch, texts: new Map() }, log);
    const reasons = read.diagnostics.slice(0, 3).map(({ place, message }) => `${place}: ${message}`);
    const why = reasons.length === 0 ? ` within ${timeout / 1000} seconds` : `: ${reasons.join('; ')}`;
    throw new EnvironmentError(`${connection.server} was not read${why}`);
  } finally {
    await connection.stop();
  }
}

async function connect(access: ClusterAccess, clock: Clock): Promise<KubeConnection> {
  try {
    return await connectKube(access, { version: packageJson.version, clock, counters: noCounters });
  } catch (error) {
    throw error instanceof KubeConfigError ? new EnvironmentError(error.message, { cause: error }) : error;
  }
}

/** A control plane retries without end; who waits for an answer is told at once that there is no server. */
async function requireAnswer(connection: KubeConnection): Promise<void> {
  try {
    await connection.ask({ method: 'GET', path: '/version' });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new EnvironmentError(`the API server ${connection.server} does not answer: ${reason}`, { cause: error });
  }
}
