import packageJson from '../../package.json' with { type: 'json' };
import type { StopAsync } from '../edges.ts';
import { connectKube, KubeConfigError, podNamespace } from '../kube/kube.ts';
import type { KubeConnection } from '../kube/model.ts';
import { pathText } from '../resources/resources.ts';
import { type ClusterSource, clusterSource } from '../source/source.ts';
import type { StatusManager } from '../status/model.ts';
import { createStatusManager } from '../status/status.ts';
import { EnvironmentError } from './errors.ts';
import { type Hints, HintWatch } from './hint-watch.ts';
import type { Input, InputParts } from './input.ts';
import type { ClusterInputSettings, ServeSettings } from './settings.ts';
import { statusLog } from './status-log.ts';

/** The part of an input that statuses are written by. */
type StatusInput = Pick<Input, 'synced' | 'applied' | 'denied' | 'rejected' | 'stop'>;

const leaseName = 'gatehouse-leader';

/**
 * Milliseconds from a change to the look for hints, and between two looks: a cluster changes all the time, and a look
 * takes a fifth of a core while it lasts.
 */
const hintDelay = 10_000;

/** Default namespace of the Lease outside of a pod: the one that the manifests in `deploy` use. */
const defaultLeaseNamespace = 'kgateway-system';

/**
 * Watches an API server, and writes statuses and Events to it. An unreachable API server is retried without end.
 *
 * @throws EnvironmentError when the kubeconfig or the service account does not describe server and credentials
 */
export async function openCluster(
  { namespaces, controllerName, replica }: ServeSettings,
  { access, debounce, statusWriting }: ClusterInputSettings,
  parts: InputParts,
): Promise<Input> {
  const { clock, random, log, counters } = parts;
  const connection = await connect(access, parts);
  const source = clusterSource({ connection, namespaces, debounce, clock, random, log, counters });
  log.info('watching the cluster', { server: connection.server, ...(namespaces.length > 0 && { namespaces }) });
  const status = await openStatus({ controllerName, replica }, statusWriting, connection, source, parts);
  return {
    source,
    connection,
    origin: connection.server,
    placesOf: async (places) => source.placesOf(places.map(({ kind, key }) => ({ object: `${kind} ${key}` }))),
    manifestOf: (kind, key) => source.manifestOf(kind, key),
    ...status,
    stop: async () => {
      await status.stop();
      await connection.stop();
    },
  };
}

async function connect(
  access: ClusterInputSettings['access'],
  { clock, counters }: InputParts,
): Promise<KubeConnection> {
  try {
    return await connectKube(access, { version: packageJson.version, clock, counters });
  } catch (error) {
    throw error instanceof KubeConfigError ? new EnvironmentError(error.message, { cause: error }) : error;
  }
}

async function openStatus(
  names: Pick<ServeSettings, 'controllerName' | 'replica'>,
  statusWriting: ClusterInputSettings['statusWriting'],
  connection: KubeConnection,
  { identify }: ClusterSource,
  parts: InputParts,
): Promise<StatusInput> {
  const { translation, clock, log } = parts;
  if (statusWriting.by === 'none') {
    return {
      synced: () => undefined,
      applied: statusLog(log, translation, clock),
      denied: () => undefined,
      rejected: () => undefined,
      stop: () => Promise.resolve(),
    };
  }
  const lease = statusWriting.by === 'leader' ? await leaseOf(statusWriting.leaseNamespace) : undefined;
  const create = (leading: () => void): StatusManager =>
    createStatusManager({ ...parts, ...names, connection, identify, lease, leading });
  return startedWhenSynced(create, parts);
}

async function leaseOf(namespace: string | undefined): Promise<{ readonly namespace: string; readonly name: string }> {
  return { namespace: namespace ?? (await podNamespace()) ?? defaultLeaseNamespace, name: leaseName };
}

/**
 * Joins the election after the initial read: until then a replica that is synced already may lead. The leader alone looks
 * for hints: a look reads the whole world, and the others would record nothing of it.
 *
 * @param create makes the manager, which calls this when it begins to lead
 */
export function startedWhenSynced(
  create: (leading: () => void) => StatusManager,
  { explainer, clock, log }: Pick<InputParts, 'explainer' | 'clock' | 'log'>,
): StatusInput {
  let stop: StopAsync = () => Promise.resolve();
  const report = async ({ found }: Hints): Promise<void> =>
    manager.hinted(
      [...found.values()].map(({ at: { kind, key, path }, message }) => ({
        kind,
        key,
        field: pathText(path),
        message,
      })),
    );
  const hints = new HintWatch({ explainer, report, delay: hintDelay, clock, log });
  const manager = create(() => hints.changed());
  return {
    synced: () => {
      manager.synced();
      stop = manager.start();
    },
    applied: (commit, { observations = [], more }) => {
      manager.applied(commit, observations, more);
      if (manager.leads() && more !== true) hints.changed();
    },
    denied: (claim) => manager.denied(claim),
    rejected: (nack) => manager.rejected(nack),
    stop: async () => {
      await hints.stop();
      await stop();
    },
  };
}
