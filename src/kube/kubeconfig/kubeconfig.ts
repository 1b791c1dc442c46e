import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import type { Cluster, Context } from '@kubernetes/client-node';
import { newClusters, newContexts } from '@kubernetes/client-node/dist/config_types.js';
import type { Environment } from '../access.ts';
import { KubeConfigError, reasonOf } from './kubeconfig-error.ts';
import { absolute, isRecord, type KubeconfigUser, usersIn } from './user.ts';
import { parseKubeconfig } from './kubeconfig-yaml.ts';

/** What kubeconfigs say. */
export interface KubeconfigContent {
  readonly clusters: readonly Cluster[];
  readonly users: readonly KubeconfigUser[];
  readonly contexts: readonly Context[];
  readonly currentContext: string | undefined;
}

/** The files that kubectl would read: those of `$KUBECONFIG`, or else `~/.kube/config`. */
export function kubeconfigFiles(environment: Environment): readonly string[] {
  const listed = (environment['KUBECONFIG'] ?? '').split(delimiter).filter((path) => path !== '');
  return listed.length > 0 ? listed : [join(environment['HOME'] || homedir(), '.kube', 'config')];
}

/**
 * Reads kubeconfigs into one, as kubectl merges them: of two entries with the same name the first counts, and so does the
 * first `current-context`; files that do not exist are left out as long as one of them does.
 *
 * @throws KubeConfigError naming the file
 */
export function loadFiles(paths: readonly string[]): KubeconfigContent {
  const found = paths.map(readIfThere).filter((file) => file !== undefined);
  if (found.length === 0) {
    const places = paths.join(', ');
    throw new KubeConfigError(`no kubeconfig: ${places} does not exist; name one that does`);
  }
  const configs = found.map(read);
  return {
    clusters: firstOfEach<Cluster>(configs.flatMap(({ clusters }) => clusters)),
    users: firstOfEach<KubeconfigUser>(configs.flatMap(({ users }) => users)),
    contexts: firstOfEach<Context>(configs.flatMap(({ contexts }) => contexts)),
    currentContext: configs.map(({ currentContext }) => currentContext).find(Boolean),
  };
}

interface KubeconfigFile {
  readonly path: string;
  readonly text: string;
}

function readIfThere(path: string): KubeconfigFile | undefined {
  try {
    return { path: resolve(path), text: readFileSync(path, 'utf8') };
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw new KubeConfigError(`the kubeconfig ${path} cannot be read: ${reasonOf(error)}`, { cause: error });
  }
}

function read({ path, text }: KubeconfigFile): KubeconfigContent {
  const folder = dirname(path);
  try {
    const file: unknown = parseKubeconfig(text);
    if (!isRecord(file)) throw new TypeError('no mapping');
    // An entry that is broken does not matter until somebody asks for it.
    const options = { onInvalidEntry: 'filter' } as const;
    const current = file['current-context'];
    return {
      clusters: newClusters(file['clusters'], options).map((cluster) => ({
        ...cluster,
        ...(cluster.caFile && { caFile: absolute(folder, cluster.caFile) }),
      })),
      users: usersIn(file['users'], folder),
      contexts: newContexts(file['contexts'], options),
      currentContext: typeof current === 'string' && current !== '' ? current : undefined,
    };
  } catch (error) {
    // A TypeError about what the file lacks tells people nothing.
    const reason = error instanceof TypeError ? 'it does not have the fields of one' : reasonOf(error);
    throw new KubeConfigError(`the kubeconfig ${path} is none: ${reason}`);
  }
}

function firstOfEach<T extends { readonly name: string }>(entries: readonly T[]): readonly T[] {
  const byName = new Map<string, T>();
  for (const entry of entries) if (!byName.has(entry.name)) byName.set(entry.name, entry);
  return [...byName.values()];
}
