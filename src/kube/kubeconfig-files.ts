import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, dirname, isAbsolute, join, resolve } from 'node:path';
import type { Cluster, Context, User } from '@kubernetes/client-node';
import { newClusters, newContexts, newUsers } from '@kubernetes/client-node/dist/config_types.js';
import { parse } from 'yaml';
import type { Environment } from './access.ts';
import { KubeConfigError, reasonOf } from './kube-config-error.ts';

/** What kubeconfigs say. */
export interface KubeconfigContent {
  readonly clusters: readonly Cluster[];
  readonly users: readonly User[];
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
    users: firstOfEach<User>(configs.flatMap(({ users }) => users)),
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
    const file: unknown = parse(text, { merge: true, logLevel: 'error' });
    if (!isRecord(file)) throw new TypeError('no mapping');
    // An entry that is broken does not matter until somebody asks for it.
    const options = { onInvalidEntry: 'filter' } as const;
    const tokenFiles = tokenFilesIn(file);
    const current = file['current-context'];
    return {
      clusters: newClusters(file['clusters'], options).map((cluster) => ({
        ...cluster,
        ...(cluster.caFile && { caFile: absolute(folder, cluster.caFile) }),
      })),
      users: newUsers(file['users'], options).map((user) => completed(user, tokenFiles.get(user.name), folder)),
      contexts: newContexts(file['contexts'], options),
      currentContext: typeof current === 'string' && current !== '' ? current : undefined,
    };
  } catch (error) {
    // Neither the cause, whose message quotes the file, nor a TypeError about what the file lacks tells people anything.
    const reason = error instanceof TypeError ? 'it does not have the fields of one' : reasonOf(error);
    throw new KubeConfigError(`the kubeconfig ${path} is none: ${reason}`);
  }
}

/** What client-node leaves to the working folder, does not know, or gets wrong. */
function completed(given: User, tokenFile: string | undefined, folder: string): User {
  const { certFile, keyFile } = given;
  const user: User = {
    ...given,
    ...(certFile && { certFile: absolute(folder, certFile) }),
    ...(keyFile && { keyFile: absolute(folder, keyFile) }),
  };
  const [exec, provider] = [recordOf(user.exec), recordOf(user.authProvider)];
  if (typeof exec['command'] === 'string' && exec['command'].includes('/')) {
    return { ...user, exec: { ...exec, command: absolute(folder, exec['command']) } };
  }
  const issuer = recordOf(provider['config'])['idp-issuer-url'];
  if (typeof issuer === 'string' && URL.canParse(issuer)) {
    // client-node 2.0.1 hands it to openid-client 6 as it is, which takes nothing but a URL.
    const config = { ...recordOf(provider['config']), 'idp-issuer-url': new URL(issuer) };
    return { ...user, authProvider: { ...provider, config } };
  }
  if (tokenFile === undefined) return user;
  // client-go prefers the file when there is a token as well.
  const { token: _token, ...rest } = user;
  return { ...rest, authProvider: { name: 'tokenFile', config: { tokenFile: absolute(folder, tokenFile) } } };
}

/** The field `tokenFile` of each user that has one. */
function tokenFilesIn(file: unknown): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  const users: readonly unknown[] = isRecord(file) && Array.isArray(file['users']) ? file['users'] : [];
  for (const entry of users) {
    if (!isRecord(entry) || typeof entry['name'] !== 'string' || !isRecord(entry['user'])) continue;
    const path = entry['user']['tokenFile'];
    if (typeof path === 'string' && path !== '') found.set(entry['name'], path);
  }
  return found;
}

/** The fields of a decoded value; none when it has no fields. */
export function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return isRecord(value) ? value : {};
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

function absolute(folder: string, path: string): string {
  return isAbsolute(path) ? path : join(folder, path);
}

function firstOfEach<T extends { readonly name: string }>(entries: readonly T[]): readonly T[] {
  const byName = new Map<string, T>();
  for (const entry of entries) if (!byName.has(entry.name)) byName.set(entry.name, entry);
  return [...byName.values()];
}
