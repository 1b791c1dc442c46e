import { accessSync, constants } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { isIPv6 } from 'node:net';
import { join } from 'node:path';
import type { Environment } from '../model.ts';
import type { Kubeconfig } from './kubeconfig.ts';
import { KubeConfigError, reasonOf } from './kubeconfig-error.ts';

/** The path at which Kubernetes mounts the ServiceAccount of a pod. */
const mountFolder = '/var/run/secrets/kubernetes.io/serviceaccount';

/**
 * Returns true in a pod, as client-go decides it: by the variables that the kubelet sets for the API server's Service.
 */
export function isInCluster(environment: Environment): boolean {
  return hostOf(environment) !== '' && portOf(environment) !== '';
}

/** Reads the namespace of this pod; undefined outside of one, or when no ServiceAccount is mounted. */
export async function podNamespace(folder: string = mountFolder): Promise<string | undefined> {
  try {
    const name = (await readFile(join(folder, 'namespace'), 'utf8')).trim();
    return name === '' ? undefined : name;
  } catch {
    return undefined;
  }
}

/**
 * Describes the API server of the pod's own cluster as a kubeconfig would; token and authority stay in their files.
 *
 * @throws KubeConfigError when the pod's variables or the mounted files are missing
 */
export function loadServiceAccount(environment: Environment, folder: string = mountFolder): Kubeconfig {
  if (!isInCluster(environment)) {
    throw new KubeConfigError(
      'not in a cluster: KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not both set; outside of a pod, name a kubeconfig or a context',
    );
  }
  const [caFile, tokenFile] = [join(folder, 'ca.crt'), join(folder, 'token')];
  for (const path of [caFile, tokenFile]) expectReadable(path);
  const host = hostOf(environment);
  const server = `https://${isIPv6(host) ? `[${host}]` : host}:${portOf(environment)}`;
  return {
    clusters: [{ name: 'pod', server, caFile, skipTLSVerify: false }],
    users: [
      { name: 'service account', authProvider: { name: 'tokenFile', config: { tokenFile } }, unsupported: undefined },
    ],
    contexts: [{ name: 'pod', cluster: 'pod', user: 'service account' }],
    currentContext: 'pod',
  };
}

function expectReadable(path: string): void {
  try {
    accessSync(path, constants.R_OK);
  } catch (error) {
    throw new KubeConfigError(
      `the pod's ServiceAccount cannot be used: ${path} cannot be read, ${reasonOf(error)}; mount it (automountServiceAccountToken: true)`,
      { cause: error },
    );
  }
}

function hostOf(environment: Environment): string {
  return environment['KUBERNETES_SERVICE_HOST'] ?? '';
}

function portOf(environment: Environment): string {
  return environment['KUBERNETES_SERVICE_PORT'] ?? '';
}
