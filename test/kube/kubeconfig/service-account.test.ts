import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type ClusterAccess, isInCluster, KubeConfigError, podNamespace } from '../../../src/kube/kube.ts';
import type { KubeServer } from '../../support/api-server/kube-server.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { authority, connect, echo, failureOf, get, serve } from '../kube-rig.ts';

/** The files that Kubernetes mounts into a pod. */
async function mounted(): Promise<string> {
  const folder = temporaryFolder();
  await writeFile(join(folder, 'token'), 'of-the-pod');
  await writeFile(join(folder, 'ca.crt'), authority.cert);
  await writeFile(join(folder, 'namespace'), 'kgateway-system\n');
  return folder;
}

function inPod({ url }: Pick<KubeServer, 'url'>, folder: string): ClusterAccess {
  const { hostname, port } = new URL(url);
  const environment = { KUBERNETES_SERVICE_HOST: hostname.replace(/[[\]]/g, ''), KUBERNETES_SERVICE_PORT: port };
  return { by: 'service account', environment, folder };
}

describe('in a pod', () => {
  it('requests have the token of the ServiceAccount', async () => {
    const server = await serve(echo);
    const { connection } = await connect(inPod(server, await mounted()));
    expect((await get(connection)).status).toBe(200);
    expect(connection.server).toBe(server.url);
    expect(server.seen[0]?.headers.authorization).toBe('Bearer of-the-pod');
  });

  it('a new token is read after a 401', async () => {
    const server = await serve((request) => {
      request.head(request.headers.authorization === 'Bearer rotated' ? 200 : 401);
      request.end();
    });
    const folder = await mounted();
    const { connection } = await connect(inPod(server, folder));
    expect((await get(connection)).status).toBe(401);
    await writeFile(join(folder, 'token'), 'rotated');
    expect((await get(connection)).status).toBe(200);
  });

  it('the address of the API server may be IPv6', async () => {
    const { connection } = await connect(inPod({ url: 'https://[fd00::1]:6443' }, await mounted()));
    expect(connection.server).toBe('https://[fd00::1]:6443');
  });

  it.each(['token', 'ca.crt'])('a missing %s is an error with its path and a remedy', async (name) => {
    const folder = await mounted();
    await rm(join(folder, name));
    const connecting = connect(inPod({ url: 'https://10.0.0.1:6443' }, folder));
    await expect(connecting).rejects.toBeInstanceOf(KubeConfigError);
    expect(await failureOf(connecting)).toBe(
      `the pod's ServiceAccount cannot be used: ${join(folder, name)} cannot be read, it does not exist; mount it (automountServiceAccountToken: true)`,
    );
  });

  it('the namespace is that of the pod', async () => {
    expect(await podNamespace(await mounted())).toBe('kgateway-system');
    expect(await podNamespace('/nowhere')).toBeUndefined();
  });
});

describe('outside of a cluster', () => {
  it('the variables of the kubelet are not set', async () => {
    expect(isInCluster({ KUBERNETES_SERVICE_HOST: '10.0.0.1', KUBERNETES_SERVICE_PORT: '443' })).toBe(true);
    expect(isInCluster({ KUBERNETES_SERVICE_HOST: '10.0.0.1' })).toBe(false);
    expect(isInCluster({ KUBERNETES_SERVICE_HOST: '', KUBERNETES_SERVICE_PORT: '443' })).toBe(false);
    const connecting = connect({ by: 'service account', environment: {}, folder: await mounted() });
    expect(await failureOf(connecting)).toContain('name a kubeconfig or a context');
  });
});
