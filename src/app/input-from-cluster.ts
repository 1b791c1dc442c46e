import packageJson from '../../package.json' with { type: 'json' };
import type { InputSettings } from '../cli/input-flags.ts';
import type { ServeSettings } from '../cli/serve-flags.ts';
import { EnvironmentError } from '../cli/terminal.ts';
import type { StopAsync } from '../edges.ts';
import { connectKube, KubeConfigError, podNamespace } from '../kube/kube.ts';
import type { KubeConnection } from '../kube/model.ts';
import { type ClusterSource, clusterSource } from '../source/source.ts';
import type { StatusKeeper } from '../status/model.ts';
import { createStatusKeeper } from '../status/status.ts';
import type { Input, InputParts } from './input.ts';
import { reportStatuses } from './status-log.ts';

type ClusterSettings = Extract<InputSettings, { readonly from: 'cluster' }>;

const leaseName = 'gatehouse-leader';

/** Where the Lease is when nobody says otherwise: where `deploy` puts the control plane. */
const usualNamespace = 'kgateway-system';

/**
 * Takes the resources from an API server, and says there what became of them. An API server that does not answer is
 * waited for, for ever; only who and where it is has to be known. Throws an EnvironmentError when it is not.
 */
export async function openCluster(settings: ServeSettings, input: ClusterSettings, parts: InputParts): Promise<Input> {
  const { namespaces } = settings;
  const { clock, random, log, counters } = parts;
  const connection = await connect(input, parts);
  const source = clusterSource({ connection, namespaces, debounce: input.quiet, clock, random, log, counters });
  log.info('watching the cluster', { server: connection.server, ...(namespaces.length > 0 && { namespaces }) });
  const told = await openStatus(settings, input, connection, source, parts);
  return {
    source,
    ...told,
    stop: async () => {
      await told.stop();
      await connection.stop();
    },
  };
}

async function connect({ access }: ClusterSettings, { clock, counters }: InputParts): Promise<KubeConnection> {
  try {
    return await connectKube(access, { version: packageJson.version, clock, counters });
  } catch (error) {
    throw error instanceof KubeConfigError ? new EnvironmentError(error.message, { cause: error }) : error;
  }
}

async function openStatus(
  { controllerName, replica }: ServeSettings,
  { statusWriting }: ClusterSettings,
  connection: KubeConnection,
  { identify }: ClusterSource,
  parts: InputParts,
): Promise<Omit<Input, 'source'>> {
  const { translation, log } = parts;
  if (statusWriting.by === 'nobody') {
    // Nobody writes a status that could be looked up.
    return {
      synced: () => undefined,
      applied: (commit) => reportStatuses(log, translation, commit),
      refused: () => undefined,
      stop: () => Promise.resolve(),
    };
  }
  const lease = statusWriting.by === 'leader' ? await leaseOf(statusWriting.leaseNamespace) : undefined;
  return keeping(createStatusKeeper({ ...parts, connection, identify, controllerName, replica, lease }));
}

async function leaseOf(namespace: string | undefined): Promise<{ readonly namespace: string; readonly name: string }> {
  return { namespace: namespace ?? (await podNamespace()) ?? usualNamespace, name: leaseName };
}

/** Who has not read everything does not run for the Lease: another replica may have. */
function keeping(keeper: StatusKeeper): Omit<Input, 'source'> {
  let stop: StopAsync = () => Promise.resolve();
  return {
    synced: () => {
      keeper.synced();
      stop = keeper.start();
    },
    applied: (commit, { observations = [] }) => keeper.applied(commit, observations),
    refused: (refusal) => keeper.refused(refusal),
    stop: () => stop(),
  };
}
