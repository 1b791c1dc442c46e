import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { shipped } from '../support/cluster/deployed.ts';
import { type KubeApiServer, kubeAssets, startKubeApiServer } from '../support/cluster/kube-apiserver.ts';

/** What a real API server makes of the shipped objects beyond accepting them. */
describe.skipIf(kubeAssets() === undefined)('a real API server', () => {
  let api: KubeApiServer;
  beforeAll(async () => {
    api = await startKubeApiServer();
    await api.installGatewayApi('v1.6.1');
  });
  afterAll(() => api[Symbol.asyncDispose]());

  it('leaves every object alone when the CRDs and the rest are applied again, by any of their kustomizations', async () => {
    const ways = ['deploy/crds', 'deploy'];
    for (const folder of ways) await api.kubectl(['apply', '--server-side', '-k', folder]);
    const objects = await api.kubectl(['get', '-k', 'deploy', '-o=jsonpath={.items[*].metadata.resourceVersion}']);
    for (const folder of ways) {
      await api.kubectl(['apply', '--server-side', '-k', folder]);
      await api.kubectl(['apply', '--server-side', '-f', 'deploy/crds/mcpauthpolicies.yaml']);
    }
    expect(await api.kubectl(['get', '-k', 'deploy', '-o=jsonpath={.items[*].metadata.resourceVersion}'])).toBe(
      objects,
    );
    for (const folder of ways) expect(await api.kubectl(['diff', '-k', folder])).toBe('');
  });

  it('admits the pods of the Deployment into the restricted Namespace, and no less restricted ones', async () => {
    await api.kubectl(['apply', '--filename=deploy/namespace.yaml', '--filename=deploy/base/service-account.yaml']);
    const files = [
      'base/deployment.yaml',
      'examples/deployments/mcp-gateway.yaml',
      'examples/deployments/mcp-tool.yaml',
    ];
    const [template, ...others] = files.map((file) => shipped(file).only('Deployment').spec.template.spec);
    if (template === undefined) throw new Error('no template');
    const metadata = { name: 'one', namespace: 'kgateway-system' };
    const podWith = (spec: object): string => JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata, spec });
    const create = ['create', '--dry-run=server', '--filename=-'];
    expect(await api.kubectl(create, { stdin: podWith(template) })).toContain('pod/one created');
    for (const other of others) {
      const pod = podWith({ ...other, serviceAccountName: 'gatehouse' });
      expect(await api.kubectl(create, { stdin: pod })).toContain('pod/one created');
    }
    const laxer = template.containers.map((container) => ({ ...container, securityContext: {} }));
    const refused = await api.kubectl.try(create, { stdin: podWith({ ...template, containers: laxer }) });
    expect(refused.stderr).toContain('violates PodSecurity "restricted');
  });
});
