import type { ClusterInputSettings, InputSettings, StatusWriting } from '../../app/settings.ts';
import type { DebounceOptions } from '../../rate/debounce.ts';
import { duration, namespaceName } from '../flag-values.ts';
import { type Environment, type Flag, type FlagValues, UsageError } from '../flags.ts';

/** The flags that say where resources come from. */
export const inputFlags: readonly Flag[] = [
  {
    name: 'filename',
    short: 'f',
    value: '<file or folder>',
    repeatable: true,
    help: 'watch manifests instead of a cluster, not those of folders within a folder; the first definition of an object is used',
  },
  { name: 'kubeconfig', value: '<file>', help: 'watch the cluster of this kubeconfig' },
  {
    name: 'context',
    value: '<name>',
    help: 'context of the kubeconfig; without --kubeconfig, of $KUBECONFIG or ~/.kube/config',
  },
  { name: 'namespace', value: '<name>', repeatable: true, help: 'restrict all namespaced kinds to these namespaces' },
  { name: 'write-status', default: 'true', help: 'whether statuses and Events are written into the cluster' },
  {
    name: 'leader-election',
    default: 'true',
    help: 'whether a Lease elects the replica that writes statuses; false: this process writes them',
  },
  {
    name: 'lease-namespace',
    value: '<name>',
    help: "namespace of the Lease gatehouse-leader; by default the pod's, else kgateway-system",
  },
  {
    name: 'quiet',
    value: '<duration>',
    help: 'debounce: time without another change before changes are applied; by default 25ms for files, 10ms in a cluster',
  },
  {
    name: 'quiet-ceiling',
    value: '<duration>',
    help: 'debounce: maximum delay of a change; by default 500ms for files, 200ms in a cluster',
  },
  {
    name: 'settle',
    value: '<duration>',
    default: '1s',
    help: 'time that a file has to stand still after it was written in place; one renamed into place counts at once',
  },
];

/**
 * Decodes the flags that select the source of the resources. The current context of a kubeconfig alone never selects a
 * cluster: a flag must name it, unless the process runs in a pod.
 */
export function inputSettings(flags: FlagValues, environment: Environment): InputSettings {
  const filenames = flags.list('filename');
  const path = flags.optional('kubeconfig');
  const context = flags.optional('context');
  if (filenames.length > 0 && (path ?? context) !== undefined) {
    const flag = path === undefined ? '--context' : '--kubeconfig';
    throw new UsageError(`-f watches files and ${flag} a cluster: give one of the two.`);
  }
  if (filenames.length > 0) {
    const settle = duration('settle', flags.text('settle'));
    return { from: 'files', filenames, debounce: debounceOf(flags, '25ms', '500ms'), settle };
  }
  const debounce = debounceOf(flags, '10ms', '200ms');
  const statusWriting = statusWritingOf(flags, environment);
  const access = accessOf(path, context, environment);
  if (access !== undefined) return { from: 'cluster', access, statusWriting, debounce };
  throw new UsageError(
    'say what to serve: -f <file or folder>, or a cluster by --kubeconfig <file> or --context <name> (inside of one, neither).',
  );
}

function accessOf(
  path: string | undefined,
  context: string | undefined,
  environment: Environment,
): ClusterInputSettings['access'] | undefined {
  if (path !== undefined) return { by: 'kubeconfig', path, context };
  if (context !== undefined) return { by: 'context', context, environment };
  return environment['KUBERNETES_SERVICE_HOST'] ? { by: 'service account', environment } : undefined;
}

/** The flags of commands that read a cluster once instead of files. */
export const clusterFlags: readonly Flag[] = [
  {
    name: 'cluster',
    default: 'false',
    help: 'read a cluster once instead of files: that of --kubeconfig or --context, or in a pod the one around it',
  },
  { name: 'kubeconfig', value: '<file>', help: 'read the cluster of this kubeconfig' },
  {
    name: 'context',
    value: '<name>',
    help: 'context of the kubeconfig; without --kubeconfig, of $KUBECONFIG or ~/.kube/config',
  },
  ...inputFlags.filter(({ name }) => name === 'namespace'),
];

/**
 * Decodes {@link clusterFlags}: undefined when no cluster is asked for. Like `serve`, never chooses the current context
 * of a kubeconfig by itself.
 */
export function clusterAccess(flags: FlagValues, environment: Environment): ClusterInputSettings['access'] | undefined {
  const [path, context] = [flags.optional('kubeconfig'), flags.optional('context')];
  if (!flags.on('cluster') && (path ?? context) === undefined) return undefined;
  const access = accessOf(path, context, environment);
  if (access !== undefined) return access;
  throw new UsageError('say which cluster: --kubeconfig <file> or --context <name>, with --cluster.');
}

/** Decodes `--namespace`; an empty list selects all namespaces. */
export function namespacesOf(flags: FlagValues): readonly string[] {
  return flags.list('namespace').map((name) => namespaceName('namespace', name));
}

function statusWritingOf(flags: FlagValues, { POD_NAMESPACE }: Environment): StatusWriting {
  const elected = flags.on('leader-election');
  const wanted = flags.optional('lease-namespace') ?? POD_NAMESPACE;
  if (!flags.on('write-status')) return { by: 'none' };
  if (!elected) return { by: 'this-process' };
  return { by: 'leader', leaseNamespace: wanted ? namespaceName('lease-namespace', wanted) : undefined };
}

function debounceOf(flags: FlagValues, idle: string, ceiling: string): DebounceOptions {
  return {
    idle: duration('quiet', flags.optional('quiet') ?? idle),
    ceiling: duration('quiet-ceiling', flags.optional('quiet-ceiling') ?? ceiling),
  };
}
