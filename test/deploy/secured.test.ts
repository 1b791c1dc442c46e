import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { serveFlags, serveSettings } from '../../src/cli/flags/serve-flags.ts';
import { readFlags } from '../../src/cli/flags.ts';
import { decodeConfig } from '../../src/gateway/config/decode.ts';
import { asJsonObject, objectIn, objectsOf, textIn } from '../../src/json/json.ts';
import { deploy } from '../support/cluster/deployed.ts';

const documents = (file: string): readonly unknown[] =>
  parseAllDocuments(readFileSync(join(deploy, file), 'utf8')).map((document): unknown => document.toJS());

const flagDefault = (flag: string): string | undefined => serveFlags.find(({ name }) => name === flag)?.default;

it('the secured example has a configuration that the gateway accepts', () => {
  const maps = documents('examples/secured/mcp-gateway.yaml').filter(
    (object) => textIn(object, 'kind') === 'ConfigMap',
  );
  const text = textIn(objectIn(maps[0], 'data'), 'config.json') ?? '';
  const { config, warnings } = decodeConfig(JSON.parse(text), (path) => path);
  expect(warnings).toEqual([]);
  expect(config.xdsSecurity).toMatchObject({ tls: { ca: '/xds/ca.crt' }, token: '/xds/token' });
});

it.each(['mcp-gateway', 'agentgateway'])('the secured example of %s mounts what it names', (name) => {
  const objects = documents(`examples/secured/${name}.yaml`);
  const of = (kind: string): unknown => objects.find((object) => textIn(object, 'kind') === kind);
  const { metadata, spec } = asJsonObject(objectIn(asJsonObject(of('Deployment'))['spec'], 'template'));
  const [volume] = objectsOf(asJsonObject(spec)['volumes']).filter((one) => textIn(one, 'name') === 'xds');
  expect(volume).toMatchObject({
    projected: {
      sources: [
        { serviceAccountToken: { path: 'token', audience: flagDefault('xds-auth-audience') } },
        { secret: { items: [{ path: 'ca.crt' }] } },
      ],
    },
  });
  const [container] = objectsOf(asJsonObject(spec)['containers']);
  expect(container).toMatchObject({
    volumeMounts: expect.arrayContaining([{ name: 'xds', mountPath: '/xds', readOnly: true }]),
  });
  // The account that the Gateway has without an annotation, and pods that the NetworkPolicy and the Service select.
  expect([spec, of('ServiceAccount'), of('Service')]).toMatchObject([
    { serviceAccountName: 'mcp-gateway' },
    { metadata: { name: 'mcp-gateway' } },
    { spec: { selector: { app: name } } },
  ]);
  expect(metadata).toMatchObject({ labels: { app: name, 'gateway.networking.k8s.io/gateway-name': 'mcp-gateway' } });
});

it('the secured example of agentgateway connects over TLS, with the token and the authority that are mounted', () => {
  const deployment = documents('examples/secured/agentgateway.yaml')[1];
  expect(deployment).toMatchObject({
    spec: {
      template: {
        spec: {
          containers: [
            {
              env: expect.arrayContaining([
                { name: 'XDS_ADDRESS', value: expect.stringMatching(/^https:\/\/kgateway\.kgateway-system\..*:9977$/) },
                { name: 'XDS_AUTH_TOKEN', value: '/xds/token' },
                { name: 'XDS_ROOT_CA', value: '/xds/ca.crt' },
              ]),
            },
          ],
        },
      },
    },
  });
});

it('the arguments for client certificates are ones that serve accepts beside those of the component', () => {
  const readme = readFileSync(join(deploy, 'README.md'), 'utf8');
  const args = ['--xds-auth=mtls', '--xds-tls-client-ca=/etc/gatehouse/xds-tls/ca.crt'];
  for (const arg of args) expect(readme).toContain(`\`${arg}\``);
  const tls = [
    '--xds-tls=on',
    '--xds-tls-cert=/etc/gatehouse/xds-tls/tls.crt',
    '--xds-tls-key=/etc/gatehouse/xds-tls/tls.key',
  ];
  const environment = { KUBERNETES_SERVICE_HOST: '10.0.0.1' };
  expect(serveSettings(readFlags(serveFlags, [...tls, ...args], environment), environment)).toMatchObject({
    xdsTls: { files: { clientCa: '/etc/gatehouse/xds-tls/ca.crt' } },
    xdsAuth: { tokens: undefined, certificates: { trustDomain: 'cluster.local' } },
  });
});

it('the components add arguments that serve accepts together', () => {
  const components = ['xds-tls', 'xds-auth-token', 'debug-auth-token'].map(
    (name) => documents(`components/${name}/kustomization.yaml`)[0],
  );
  const patches = components.flatMap((component) => objectsOf(asJsonObject(component)['patches']));
  const operations = patches.flatMap((patch) =>
    parseAllDocuments(textIn(patch, 'patch') ?? '').flatMap((one): unknown => one.toJS()),
  );
  const args = objectsOf(operations).flatMap(({ path, value }) =>
    String(path).endsWith('/args/-') ? [String(value)] : [],
  );
  const environment = { KUBERNETES_SERVICE_HOST: '10.0.0.1' };
  expect(serveSettings(readFlags(serveFlags, args, environment), environment)).toMatchObject({
    xdsTls: { mode: 'on' },
    debugAuth: { kind: 'token' },
    xdsAuth: { kind: 'required', tokens: { audience: 'gatehouse' }, certificates: undefined },
  });
});
