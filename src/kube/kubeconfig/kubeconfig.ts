import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import type { Cluster, Context } from '@kubernetes/client-node';
import { newClusters, newContexts } from '@kubernetes/client-node/dist/config_types.js';
import { parse, type Tags, YAMLParseError } from 'yaml';
import { isJsonObject } from '../../json/json.ts';
import { codeOf } from '../../net/errors.ts';
import type { Environment } from '../model.ts';
import { KubeConfigError, reasonOf } from './kubeconfig-error.ts';
import { absolute, type KubeconfigUser, usersIn } from './user.ts';

/** The entries of one or more kubeconfigs. */
export interface Kubeconfig {
  readonly clusters: readonly Cluster[];
  readonly users: readonly KubeconfigUser[];
  readonly contexts: readonly Context[];
  readonly currentContext: string | undefined;
}

/** Returns the files that kubectl would read: those of `$KUBECONFIG`, or else `~/.kube/config`. */
export function kubeconfigPaths(environment: Environment): readonly string[] {
  const listed = (environment['KUBECONFIG'] ?? '').split(delimiter).filter((path) => path !== '');
  return listed.length > 0 ? listed : [join(environment['HOME'] || homedir(), '.kube', 'config')];
}

/**
 * Reads and merges kubeconfigs as kubectl does: of two entries with one name the first counts, and so does the first
 * `current-context`; missing files are skipped as long as one exists.
 *
 * @throws KubeConfigError naming the file
 */
export function loadKubeconfig(paths: readonly string[]): Kubeconfig {
  const found = paths.map(readIfPresent).filter((file) => file !== undefined);
  if (found.length === 0) {
    const places = paths.join(', ');
    throw new KubeConfigError(`no kubeconfig: ${places} does not exist; name one that does`);
  }
  const configs = found.map(decodeFile);
  return {
    clusters: firstByName<Cluster>(configs.flatMap(({ clusters }) => clusters)),
    users: firstByName<KubeconfigUser>(configs.flatMap(({ users }) => users)),
    contexts: firstByName<Context>(configs.flatMap(({ contexts }) => contexts)),
    currentContext: configs.map(({ currentContext }) => currentContext).find(Boolean),
  };
}

interface KubeconfigFile {
  readonly path: string;
  readonly text: string;
}

function readIfPresent(path: string): KubeconfigFile | undefined {
  try {
    return { path: resolve(path), text: readFileSync(path, 'utf8') };
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw new KubeConfigError(`the kubeconfig ${path} cannot be read: ${reasonOf(error)}`, { cause: error });
  }
}

function decodeFile({ path, text }: KubeconfigFile): Kubeconfig {
  const folder = dirname(path);
  try {
    const file = parseYaml(text);
    if (!isJsonObject(file)) throw new TypeError('no mapping');
    // A broken entry matters only to a context that names it.
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
    // The message of a TypeError from client-node is about its own code.
    const reason = error instanceof TypeError ? 'it does not have the fields of one' : reasonOf(error);
    throw new KubeConfigError(`the kubeconfig ${path} is none: ${reason}`);
  }
}

function firstByName<T extends { readonly name: string }>(entries: readonly T[]): readonly T[] {
  const byName = new Map<string, T>();
  for (const entry of entries) if (!byName.has(entry.name)) byName.set(entry.name, entry);
  return [...byName.values()];
}

/**
 * Parses a kubeconfig. Almost all of its fields are strings, so numbers are read as strings, too: a token or a name may
 * look like one.
 *
 * @throws Error with the place of the mistake, and without a quotation: the text holds credentials
 */
function parseYaml(text: string): unknown {
  try {
    // Aliases are not limited: it is the user's own file.
    return parse(text, { merge: true, logLevel: 'error', maxAliasCount: -1, customTags: withoutNumbers });
  } catch (error) {
    throw new Error(yamlErrorText(error));
  }
}

const numberTags: readonly unknown[] = ['tag:yaml.org,2002:int', 'tag:yaml.org,2002:float'];

function withoutNumbers(tags: Tags): Tags {
  return tags.filter((tag) => typeof tag === 'string' || !numberTags.includes(tag.tag));
}

function yamlErrorText(error: unknown): string {
  if (!(error instanceof YAMLParseError)) return 'it is no YAML: an alias in it names no anchor';
  const [start] = error.linePos ?? [];
  const where = start === undefined ? '' : ` at line ${start.line}, column ${start.col}`;
  return `it is no YAML${where} (${error.code.toLowerCase().replaceAll('_', ' ')})`;
}
