import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type KubeApiServer, kubeAssets, startKubeApiServer } from '../support/cluster/kube-apiserver.ts';
import { polled } from '../support/cluster/poll.ts';

describe.skipIf(kubeAssets() === undefined)('a real API server', () => {
  let cluster: KubeApiServer;
  beforeAll(async () => {
    cluster = await startKubeApiServer({ users: { 'a-user': ['a-group'] } });
  });
  afterAll(() => cluster?.[Symbol.asyncDispose]());

  it('has the namespace default, for kubectl and for requests', async () => {
    expect(await cluster.kubectl(['get', 'namespace', 'default', '-o', 'name'])).toBe('namespace/default\n');
    expect(await cluster.request('/api/v1/namespaces/default')).toMatchObject({ status: 200 });
  });

  it('knows who asks, and forbids what RBAC does not allow', async () => {
    const refused = await cluster.kubectl.try(['get', 'services'], { as: 'a-user' });
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('User "a-user" cannot list') });
    await cluster.kubectl(['create', 'clusterrole', 'reader', '--verb=list', '--resource=services']);
    await cluster.kubectl(['create', 'clusterrolebinding', 'readers', '--clusterrole=reader', '--group=a-group']);
    const allowed = await polled(
      async () => (await cluster.kubectl.try(['get', 'services', '-o', 'name'], { as: 'a-user' })).stdout || undefined,
      () => 'The binding has no effect.',
    );
    expect(allowed).toBe('service/kubernetes\n');
    expect(await cluster.request('/api/v1/services', { token: 'nobody' })).toMatchObject({ status: 401 });
  });

  it('gives service accounts their tokens', async () => {
    const token = await cluster.serviceAccountToken('default', 'robot');
    const review = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec: { token } };
    const answer = await cluster.request('/apis/authentication.k8s.io/v1/tokenreviews', {
      method: 'POST',
      body: review,
    });
    expect(answer.json).toMatchObject({
      status: { authenticated: true, user: { username: 'system:serviceaccount:default:robot' } },
    });
    const whoami = await cluster.kubectl(['auth', 'whoami', `--kubeconfig=${cluster.kubeconfig({ token })}`]);
    expect(whoami).toContain('system:serviceaccount:default:robot');
  });

  it('takes what kubectl reads from a pipe', async () => {
    const map = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'piped' }, data: { a: 'b' } };
    expect(await cluster.kubectl(['create', '-f', '-'], { stdin: JSON.stringify(map) })).toContain('created');
    await expect(cluster.kubectl(['create', '-f', '-'], { stdin: JSON.stringify(map) })).rejects.toThrow(
      'AlreadyExists',
    );
  });

  it('comes back at its address with what it knew, and no longer knows old versions', async () => {
    const list = '/api/v1/namespaces/default/configmaps';
    const version = versionOf((await cluster.request(list)).text);
    await cluster.kubectl(['create', 'configmap', 'kept', '--from-literal=a=b']);
    const { url } = cluster;
    await cluster.kill9ApiServer();
    await expect(cluster.request(list)).rejects.toThrow();
    await cluster.compactEtcd();
    await cluster.restartApiServer();
    expect(cluster.url).toBe(url);
    expect(await cluster.kubectl(['get', 'configmap', 'kept', '-o', 'name'])).toBe('configmap/kept\n');
    const watch = await cluster.request(`${list}?watch=true&timeoutSeconds=5&resourceVersion=${version}`);
    expect(watch.text).toMatch(/"code":410|too old resource version/);
  });
});

function versionOf(list: string): string {
  const { metadata }: { metadata: { resourceVersion: string } } = JSON.parse(list);
  return metadata.resourceVersion;
}
