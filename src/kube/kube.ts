import type { ClusterAccess, KubeConnection, KubeEdges } from './model.ts';

export { KubeConfigError } from './kubeconfig/kubeconfig-error.ts';
export { isInCluster, podNamespace } from './kubeconfig/service-account.ts';
export type { ClusterAccess } from './model.ts';
export { reviewAccess, reviewToken } from './reviews.ts';

/**
 * Connects to one API server as one user: reads the kubeconfig or the ServiceAccount, and opens nothing yet. A server
 * that does not answer fails each request instead.
 *
 * @throws KubeConfigError when server or user are not described, or not completely
 */
export async function connectKube(access: ClusterAccess, edges: KubeEdges): Promise<KubeConnection> {
  // Loaded on demand: undici and client-node cost memory that only a control plane in a cluster needs.
  const { createConnection } = await import('./connection.ts');
  return createConnection(access, edges);
}
