import type { ClusterAccess } from './access.ts';
import type { KubeConnection, KubeEdges } from './model.ts';

export type { ClusterAccess } from './access.ts';
export { KubeConfigError } from './kubeconfig/kubeconfig-error.ts';
export { isInCluster, podNamespace } from './kubeconfig/service-account.ts';

/**
 * The way to one API server as one identity. Reads the kubeconfig or the ServiceAccount, and opens nothing: an API server
 * that does not answer is told by each request.
 *
 * @throws KubeConfigError when who and where is not described, or not completely
 */
export async function connectKube(access: ClusterAccess, edges: KubeEdges): Promise<KubeConnection> {
  // undici and client-node are what only a control plane in a cluster shall pay for.
  const { createConnection } = await import('./connection.ts');
  return createConnection(access, edges);
}
