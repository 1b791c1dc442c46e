import type { ClusterAccess } from '../kube/kube.ts';
import { duration, type Environment, type Flag, type FlagValues, UsageError } from './flags.ts';

/** How long changes are gathered into one commit, in milliseconds: without another one, and at the most. */
interface Quiet {
  readonly idle: number;
  readonly ceiling: number;
}

/** Who writes statuses and Events into the cluster. */
type StatusWriting =
  /** The replica that holds the Lease. Without a namespace: the pod's own, else `kgateway-system`. */
  | { readonly by: 'leader'; readonly leaseNamespace: string | undefined }
  /** This process, whoever else runs. */
  | { readonly by: 'this-process' }
  | { readonly by: 'nobody' };

/** Where the resources come from. */
export type InputSettings =
  /** `filenames`: files and folders in their order; what comes first wins. */
  | { readonly from: 'files'; readonly filenames: readonly string[]; readonly quiet: Quiet }
  | {
      readonly from: 'cluster';
      readonly access: ClusterAccess;
      readonly statusWriting: StatusWriting;
      readonly quiet: Quiet;
    };

export const inputFlags: readonly Flag[] = [
  {
    name: 'filename',
    short: 'f',
    value: '<file or folder>',
    repeatable: true,
    help: 'watch manifests instead of a cluster; what comes first wins',
  },
  { name: 'kubeconfig', value: '<file>', help: 'watch the cluster of this file, outside of one' },
  { name: 'context', value: '<name>', help: 'its context; without --kubeconfig of $KUBECONFIG or ~/.kube/config' },
  { name: 'namespace', value: '<name>', repeatable: true, help: 'restrict all namespaced kinds to these namespaces' },
  { name: 'write-status', default: 'true', help: 'whether statuses and Events are written into the cluster' },
  {
    name: 'leader-election',
    default: 'true',
    help: 'whether one replica, which a Lease tells, writes statuses; false: this process does',
  },
  {
    name: 'lease-namespace',
    value: '<name>',
    help: "where the Lease gatehouse-leader is; by default the pod's namespace, else kgateway-system",
  },
  {
    name: 'quiet',
    value: '<duration>',
    help: 'quiet time after which changes are taken over; by default 25ms for files, 10ms in a cluster',
  },
  {
    name: 'quiet-ceiling',
    value: '<duration>',
    help: 'the most that waiting for quiet may take; by default 500ms for files, 200ms in a cluster',
  },
];

const dnsLabel = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;

/** Decodes where the resources come from. A cluster has to be meant: whatever context happens to be current is not. */
export function inputSettings(flags: FlagValues, environment: Environment): InputSettings {
  const filenames = flags.list('filename');
  const path = flags.optional('kubeconfig');
  const context = flags.optional('context');
  if (filenames.length > 0 && (path ?? context) !== undefined) {
    const flag = path === undefined ? '--context' : '--kubeconfig';
    throw new UsageError(`-f watches files and ${flag} a cluster: give one of the two.`);
  }
  if (filenames.length > 0) return { from: 'files', filenames, quiet: quietOf(flags, '25ms', '500ms') };
  const quiet = quietOf(flags, '10ms', '200ms');
  const statusWriting = statusWritingOf(flags, environment);
  const access = accessOf(path, context, environment);
  if (access !== undefined) return { from: 'cluster', access, statusWriting, quiet };
  throw new UsageError(
    'say what to serve: -f <file or folder>, or a cluster by --kubeconfig <file> or --context <name> (inside of one, neither).',
  );
}

function accessOf(
  path: string | undefined,
  context: string | undefined,
  environment: Environment,
): ClusterAccess | undefined {
  if (path !== undefined) return { by: 'kubeconfig', path, context };
  if (context !== undefined) return { by: 'context', context, environment };
  return environment['KUBERNETES_SERVICE_HOST'] ? { by: 'service account', environment } : undefined;
}

/** Decodes `--namespace`; empty: all. */
export function namespacesOf(flags: FlagValues): readonly string[] {
  return flags.list('namespace').map((name) => dnsLabelOf('namespace', name));
}

function statusWritingOf(flags: FlagValues, { POD_NAMESPACE }: Environment): StatusWriting {
  const elected = flags.on('leader-election');
  const wanted = flags.optional('lease-namespace') ?? POD_NAMESPACE;
  if (!flags.on('write-status')) return { by: 'nobody' };
  if (!elected) return { by: 'this-process' };
  return { by: 'leader', leaseNamespace: wanted ? dnsLabelOf('lease-namespace', wanted) : undefined };
}

function dnsLabelOf(flag: string, name: string): string {
  if (dnsLabel.test(name)) return name;
  throw new UsageError(`--${flag} is the name of a namespace, for example default, not "${name}"`);
}

function quietOf(flags: FlagValues, idle: string, ceiling: string): Quiet {
  return {
    idle: duration('quiet', flags.optional('quiet') ?? idle),
    ceiling: duration('quiet-ceiling', flags.optional('quiet-ceiling') ?? ceiling),
  };
}
