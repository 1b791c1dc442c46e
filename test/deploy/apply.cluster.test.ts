import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type KubeApiServer, kubeAssets, startKubeApiServer } from '../support/cluster/kube-apiserver.ts';

/** The shipped manifests, applied to a real API server. */
describe.skipIf(kubeAssets() === undefined)('a real API server', () => {
  let api: KubeApiServer;
  beforeAll(async () => {
    api = await startKubeApiServer();
    await api.installGatewayApi('v1.6.1');
  });
  afterAll(() => api[Symbol.asyncDispose]());

  const mayThe = async (account: string, verb: string, resource: string, namespace: string): Promise<string> => {
    const as = `--as=system:serviceaccount:${account}`;
    const { stdout } = await api.kubectl.try(['auth', 'can-i', verb, resource, `--namespace=${namespace}`, as]);
    return stdout.trim();
  };

  it.each([
    ['deploy', 'kgateway-system'],
    ['deploy/beside-kgateway', 'gatehouse-system'],
    ['deploy/namespaced', 'kgateway-system'],
  ])(
    'accepts %s by client-side and server-side apply, and a second apply changes nothing',
    async (folder, namespace) => {
      await api.kubectl(['apply', '-k', folder]);
      expect(await api.kubectl(['apply', '-k', folder])).toContain('deployment.apps/gatehouse unchanged');
      const read = ['get', 'deployment/gatehouse', `--namespace=${namespace}`, '-o=jsonpath={.spec}'];
      const spec = await api.kubectl(read);
      await api.kubectl(['apply', '-k', folder, '--server-side']);
      await api.kubectl(['apply', '-k', folder, '--server-side']);
      expect(await api.kubectl(read)).toBe(spec);
      expect(await api.kubectl(['diff', '-k', folder])).toBe('');
    },
  );

  it('accepts the NetworkPolicy', async () => {
    await api.kubectl(['apply', '--filename=deploy/namespace.yaml']);
    const component = '--filename=deploy/components/network-policy/network-policy.yaml';
    expect(await api.kubectl(['apply', component])).toContain('networkpolicy.networking.k8s.io/gatehouse created');
  });

  it('lets the namespaced control plane read the watched namespace, and no other', async () => {
    await api.kubectl(['apply', '-k', 'deploy/namespaced']);
    const account = 'kgateway-system:gatehouse';
    for (const resource of ['services', 'gateways', 'gatewayparameters', 'mcpauthpolicies']) {
      expect(await mayThe(account, 'list', resource, 'default')).toBe('yes');
      expect(await mayThe(account, 'list', resource, 'kube-system')).toBe('no');
    }
    expect(await mayThe(account, 'list', 'gatewayclasses', 'default')).toBe('yes');
    expect(await mayThe(account, 'list', 'namespaces', 'default')).toBe('no');
  });

  it("accepts the guide's folder as the guide applies it", async () => {
    await api.installOwnCrds();
    await api.kubectl(['apply', '--filename=deploy/examples/guide']);
    const again = await api.kubectl(['apply', '--filename=deploy/examples/guide']);
    expect(again).toContain('mcpauthpolicy.gateway.kgateway.dev/mcp-jq-auth unchanged');
  });
});
