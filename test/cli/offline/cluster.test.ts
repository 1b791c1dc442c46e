import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type ApiServer, startApiServer } from '../../support/api-server/api-server.ts';
import { cli } from '../../support/processes/terminal.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

/** A kubeconfig for a server by plain HTTP. */
function kubeconfigFor(server: string): string {
  const file = join(temporaryFolder(), 'kubeconfig');
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'here',
    contexts: [{ name: 'here', context: { cluster: 'here', user: 'me' } }],
    clusters: [{ name: 'here', cluster: { server, 'insecure-skip-tls-verify': true } }],
    users: [{ name: 'me', user: {} }],
  };
  writeFileSync(file, JSON.stringify(config));
  return file;
}

/** A cluster in which `me` may call a tool of a Service that does not exist. */
async function startCluster(): Promise<{ readonly server: ApiServer; readonly kubeconfig: string }> {
  const server = await startApiServer();
  server.put('GatewayClass', { name: 'mcp', spec: { controllerName: 'kgateway.dev/kgateway' } });
  const namespaces = { from: 'All' };
  const listeners = [{ name: 'mcp', port: 8080, protocol: 'kgateway.dev/mcp', allowedRoutes: { namespaces } }];
  server.put('Gateway', { namespace: 'default', name: 'gw', spec: { gatewayClassName: 'mcp', listeners } });
  const spec = { clusterIP: '10.0.0.1', ports: [{ port: 80, appProtocol: 'kgateway.dev/mcp' }] };
  server.put('Service', { namespace: 'default', name: 'tool', spec });
  const rule = {
    matches: [{ type: 'JWT', jwt: { claim: 'sub', value: 'me' } }],
    resource: { kind: 'tool', name: 'default/tol:run' },
  };
  server.put('MCPAuthPolicy', {
    namespace: 'default',
    name: 'p',
    spec: { targetRefs: [{ name: 'gw' }], rules: [rule] },
  });
  return { server, kubeconfig: kubeconfigFor(server.url) };
}

const policy = '/apis/gateway.kgateway.dev/v1alpha1/namespaces/default/mcpauthpolicies/p';

describe('a cluster', () => {
  it('is read once and checked, with the path of each object', async () => {
    const { kubeconfig } = await startCluster();
    expect(await cli(['check', '--cluster', `--kubeconfig=${kubeconfig}`])).toEqual({
      code: 0,
      stderr: '',
      stdout: `${policy}: warning: MCPAuthPolicy default/p spec.rules[0].resource.name: No Service makes the target "default/tol": the nearest target is "default/tool".
1 Gateway, 1 target, 1 policy; 0 errors, 1 warning
`,
    });
  });

  it('is explained', async () => {
    const { kubeconfig } = await startCluster();
    const asked = ['--claims={"sub":"me"}', '--tool=default/tol:run'];
    const { code, stdout } = await cli(['explain', `--kubeconfig=${kubeconfig}`, '--context=here', ...asked]);
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: expect.stringContaining(`allowed: the tool "default/tol:run"`),
    });
    expect(stdout).toContain(`spec.rules[0].matches[0] (${policy}): "sub" is "me"`);
  });

  it('that does not answer is named, with the reason', async () => {
    const { server, kubeconfig } = await startCluster();
    await server.down();
    const { code, stderr } = await cli(['check', `--kubeconfig=${kubeconfig}`]);
    expect({ code, stderr }).toEqual({
      code: 3,
      stderr: expect.stringMatching(/^gatehouse: the API server http:\/\/127\.0\.0\.1:\d+ does not answer: .*\n$/),
    });
  });

  it.each([
    [['check', '--cluster'], 2, /say which cluster: --kubeconfig <file> or --context <name>/],
    [['check', '--cluster', '--kubeconfig=/nowhere', 'a.yaml'], 2, /give files or a cluster, one of the two/],
    [['check', '--kubeconfig=/nowhere/config'], 3, /\/nowhere\/config/],
  ])('is asked for in a way that is understood: %j', async (args, code, message) => {
    const run = await cli(args);
    expect({ code: run.code, stderr: run.stderr }).toEqual({ code, stderr: expect.stringMatching(message) });
  });
});
