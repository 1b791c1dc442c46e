import type { Cluster, User } from '@kubernetes/client-node';
import { asJsonObject } from '../../json/json.ts';
import { quoted, shortened } from '../../json/quoted.ts';
import type { ClusterAccess } from '../model.ts';
import { type Kubeconfig, kubeconfigPaths, loadKubeconfig } from './kubeconfig.ts';
import { KubeConfigError } from './kubeconfig-error.ts';
import { loadServiceAccount } from './service-account.ts';

/** One API server and its user, as the kubeconfig describes them now (`rest.Config` of client-go). */
export interface ClientConfig {
  readonly cluster: Cluster;
  readonly user: User;
  /** The credential plugin, if the user has one. */
  readonly command: string | undefined;
  readonly isOidc: boolean;
  /** All that was read, as JSON: to compare it later, because client-node changes its own copy. Secret. */
  readonly content: string;
  /** Its path is put before that of every request, as some proxies of API servers need it. */
  readonly server: URL;
}

/**
 * Reads server and user; opens nothing.
 *
 * @throws KubeConfigError when they are not described, or not completely
 */
export function readClientConfig(access: ClusterAccess): ClientConfig {
  switch (access.by) {
    case 'service account':
      return clientConfigOf(loadServiceAccount(access.environment, access.folder), 'pod', 'the ServiceAccount');
    case 'kubeconfig': {
      const content = loadKubeconfig([access.path]);
      const context = access.context ?? content.currentContext;
      if (context !== undefined) return clientConfigOf(content, context, access.path);
      throw new KubeConfigError(
        `the kubeconfig ${access.path} has no current-context: name a context of it${listed(content)}`,
      );
    }
    case 'context': {
      const paths = kubeconfigPaths(access.environment);
      return clientConfigOf(loadKubeconfig(paths), access.context, paths.join(', '));
    }
  }
}

function clientConfigOf(content: Kubeconfig, name: string, place: string): ClientConfig {
  const context = content.contexts.find((one) => one.name === name);
  if (context === undefined) {
    throw new KubeConfigError(`${place} has no context ${quoted(name)} that names a cluster${listed(content)}`);
  }
  const cluster = content.clusters.find((one) => one.name === context.cluster);
  if (cluster === undefined) {
    throw new KubeConfigError(
      `${place}: context ${quoted(name)} names the cluster ${quoted(context.cluster)}, which has no entry with a server; add it, or name another context`,
    );
  }
  const user = content.users.find((one) => one.name === context.user);
  if (user === undefined) {
    const named = context.user ? `names the user ${quoted(context.user)}, which is not there` : 'names no user';
    throw new KubeConfigError(`${place}: context ${quoted(name)} ${named}; add it, or name another context`);
  }
  if (user.unsupported !== undefined) {
    throw new KubeConfigError(
      `${place}: the user ${quoted(user.name)} impersonates with ${quoted(user.unsupported)}, which is not done here, other than by a name in "as"; name a user who has the rights`,
    );
  }
  const [exec, provider] = [asJsonObject(user.exec), asJsonObject(user.authProvider)];
  return {
    cluster,
    user,
    command: typeof exec['command'] === 'string' ? exec['command'] : undefined,
    isOidc: provider['name'] === 'oidc',
    content: JSON.stringify([content, name]),
    server: serverOf(cluster, place),
  };
}

function serverOf({ name, server, skipTLSVerify, proxyUrl }: Cluster, place: string): URL {
  const url = URL.parse(server);
  if (url === null || !['https:', 'http:'].includes(url.protocol)) {
    throw new KubeConfigError(
      `${place}: the server of cluster ${quoted(name)} is no URL with https: ${quoted(server)}; write it as https://host:port`,
    );
  }
  if (url.protocol === 'http:' && skipTLSVerify !== true) {
    throw new KubeConfigError(
      `${place}: the server of cluster ${quoted(name)} is ${url.origin}, without TLS, so anybody in between could read the credentials; use https, or set insecure-skip-tls-verify: true if that is meant`,
    );
  }
  const proxy = proxyUrl === undefined ? undefined : URL.parse(proxyUrl);
  if (proxy === null || (proxy !== undefined && !proxySchemes.includes(proxy.protocol))) {
    throw new KubeConfigError(
      `${place}: the proxy-url of cluster ${quoted(name)} is none with http, https or socks5; write it as http://host:port`,
    );
  }
  return url;
}

/** The proxy schemes of kubectl. */
const proxySchemes: readonly string[] = ['http:', 'https:', 'socks5:'];

function listed({ contexts }: Kubeconfig): string {
  const names = contexts.map(({ name }) => name);
  return names.length === 0 ? '; it has none' : `; it has ${shortened(names.join(', '))}`;
}
