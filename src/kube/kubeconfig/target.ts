import type { Cluster, User } from '@kubernetes/client-node';
import type { ClusterAccess } from '../access.ts';
import { Identity } from '../identity.ts';
import { KubeConfigError } from './kubeconfig-error.ts';
import { type KubeconfigContent, kubeconfigFiles, loadFiles } from './kubeconfig.ts';
import { recordOf } from './user.ts';
import { loadServiceAccount } from './service-account.ts';

/** One API server and who asks it, as described right now. */
export interface Target {
  /** Says what a request has to carry. */
  readonly identity: Identity;
  readonly cluster: Cluster;
  readonly user: User;
  /** The program that gives the credentials, if one does. */
  readonly command: string | undefined;
  readonly isOidc: boolean;
  /** Everything that was read, to tell whether it is different now; client-node changes its own copy. Secret. */
  readonly written: string;
  /** A path in it stands before every request's, as some proxies of API servers want it. */
  readonly server: URL;
}

/**
 * Reads who and where; opens nothing.
 *
 * @throws KubeConfigError when that is not described, or not completely
 */
export function readTarget(access: ClusterAccess): Target {
  switch (access.by) {
    case 'service account':
      return targetOf(loadServiceAccount(access.environment, access.folder), 'pod', 'the ServiceAccount');
    case 'kubeconfig': {
      const content = loadFiles([access.path]);
      const context = access.context ?? content.currentContext;
      if (context !== undefined) return targetOf(content, context, access.path);
      throw new KubeConfigError(
        `the kubeconfig ${access.path} has no current-context: name a context of it${listed(content)}`,
      );
    }
    case 'context': {
      const paths = kubeconfigFiles(access.environment);
      return targetOf(loadFiles(paths), access.context, paths.join(', '));
    }
  }
}

function targetOf(content: KubeconfigContent, name: string, place: string): Target {
  const context = content.contexts.find((one) => one.name === name);
  if (context === undefined) {
    throw new KubeConfigError(`${place} has no context "${name}" that names a cluster${listed(content)}`);
  }
  const cluster = content.clusters.find((one) => one.name === context.cluster);
  if (cluster === undefined) {
    throw new KubeConfigError(
      `${place}: context "${name}" names the cluster "${context.cluster}", which has no entry with a server; add it, or name another context`,
    );
  }
  const user = content.users.find((one) => one.name === context.user);
  if (user === undefined) {
    const named = context.user ? `names the user "${context.user}", which is not there` : 'names no user';
    throw new KubeConfigError(`${place}: context "${name}" ${named}; add it, or name another context`);
  }
  if (user.unsupported !== undefined) {
    throw new KubeConfigError(
      `${place}: the user "${user.name}" impersonates with "${user.unsupported}", which is not done here, other than by a name in "as"; name a user who has the rights`,
    );
  }
  const [exec, provider] = [recordOf(user.exec), recordOf(user.authProvider)];
  return {
    identity: new Identity(cluster, user),
    cluster,
    user,
    command: typeof exec['command'] === 'string' ? exec['command'] : undefined,
    isOidc: provider['name'] === 'oidc',
    written: JSON.stringify([content, name]),
    server: serverOf(cluster, place),
  };
}

function serverOf({ name, server, skipTLSVerify, proxyUrl }: Cluster, place: string): URL {
  const url = URL.parse(server);
  if (url === null || !['https:', 'http:'].includes(url.protocol)) {
    throw new KubeConfigError(
      `${place}: the server of cluster "${name}" is no URL with https: "${server}"; write it as https://host:port`,
    );
  }
  if (url.protocol === 'http:' && skipTLSVerify !== true) {
    throw new KubeConfigError(
      `${place}: the server of cluster "${name}" is ${url.origin}, without TLS, so anybody in between could read the credentials; use https, or set insecure-skip-tls-verify: true if that is meant`,
    );
  }
  const proxy = proxyUrl === undefined ? undefined : URL.parse(proxyUrl);
  if (proxy === null || (proxy !== undefined && !PROXIES.includes(proxy.protocol))) {
    throw new KubeConfigError(
      `${place}: the proxy-url of cluster "${name}" is none with http, https or socks5; write it as http://host:port`,
    );
  }
  return url;
}

/** Those that kubectl knows. */
const PROXIES: readonly string[] = ['http:', 'https:', 'socks5:'];

function listed({ contexts }: KubeconfigContent): string {
  const names = contexts.map(({ name }) => name);
  return names.length === 0 ? '; it has none' : `; it has ${names.join(', ')}`;
}
