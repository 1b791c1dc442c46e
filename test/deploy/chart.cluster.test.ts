import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chart, type HelmResult, helm, helmProgram } from '../support/cluster/helm.ts';
import { type KubeApiServer, kubeAssets, startKubeApiServer } from '../support/cluster/kube-apiserver.ts';

const program = helmProgram();

/** The chart, installed into a real API server. Nothing runs its pods. */
describe.skipIf(kubeAssets() === undefined || program === undefined)('helm', () => {
  let api: KubeApiServer;
  beforeAll(async () => {
    api = await startKubeApiServer();
  });
  afterAll(() => api[Symbol.asyncDispose]());

  const run = (...args: readonly string[]): HelmResult =>
    helm(program ?? '', [...args, '--namespace=kgateway-system'], { KUBECONFIG: api.kubeconfig() });
  const install = (...flags: readonly string[]): HelmResult =>
    run('upgrade', '--install', 'gatehouse', chart, '--create-namespace', ...flags);
  const read = (object: string, path: string): Promise<string> =>
    api.kubectl(['get', object, '--namespace=kgateway-system', `-o=jsonpath={${path}}`]);

  it('refuses to install beside kgateway with its controller name or Service, and says what to set', async () => {
    await api.kubectl(['create', 'namespace', 'kgateway-system']);
    await api.kubectl(['create', 'deployment', 'kgateway', '--image=kgateway', '--namespace=kgateway-system']);
    expect(install().stderr).toContain(
      'kgateway runs in this cluster (Deployment kgateway-system/kgateway), and both would manage the classes of ' +
        'kgateway.dev/kgateway: uninstall kgateway, or set controllerName=gatehouse.dev/gatehouse and service.name=gatehouse',
    );
    const named = '--set=controllerName=gatehouse.dev/gatehouse';
    expect(install(named).stderr).toContain('its Service has the name kgateway: set service.name=gatehouse');
    expect(install(named, '--set=service.name=gatehouse', '--dry-run=server').ok).toBe(true);
    await api.kubectl(['delete', 'deployment', 'kgateway', '--namespace=kgateway-system']);
  });

  it('installs, upgrades without changing what is the same, and keeps the CRDs when it is uninstalled', async () => {
    const first = install();
    expect(first.stderr).toBe('');
    expect(first.stdout).toContain('Gateways connect to http://kgateway.kgateway-system.svc.cluster.local:9977.');
    const version = await read('service/kgateway', '.metadata.resourceVersion');
    expect(install('--set=replicas=3').ok).toBe(true);
    expect(await read('deployment/gatehouse', '.spec.replicas')).toBe('3');
    expect(await read('service/kgateway', '.metadata.resourceVersion')).toBe(version);
    expect(run('uninstall', 'gatehouse').ok).toBe(true);
    expect(await api.kubectl(['get', 'crd', '-o=name'])).toContain('mcpauthpolicies.gateway.kgateway.dev');
  });
});
