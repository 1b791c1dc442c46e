import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { logFlags } from '../../src/cli/flags/log-flags.ts';
import { serveFlags, serveSettings } from '../../src/cli/flags/serve-flags.ts';
import { readFlags } from '../../src/cli/flags.ts';
import { kubeAssets } from '../support/cluster/assets.ts';
import {
  deploy,
  kustomizations,
  type Manifest,
  type Manifests,
  overlayText,
  rendered,
  shipped,
} from '../support/cluster/deployed.ts';

const assets = kubeAssets();
const kubectl = join(assets ?? '', 'kubectl');
const render = (variant: string): Manifests => rendered(kubectl, join(deploy, variant));
const idOf = ({ kind, metadata }: Manifest): string =>
  [kind, metadata.namespace, metadata.name].filter((part) => part !== undefined).join('/');
const ids = ({ all }: Manifests): readonly string[] => all.map(idOf).sort();

/** Renders a user's overlay of the shipped manifests, in its own folder. */
function overlay(resources: readonly string[], components: readonly string[], more = ''): Manifests {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-overlay-'));
  try {
    writeFileSync(join(folder, 'kustomization.yaml'), overlayText(folder, resources, components, more));
    return rendered(kubectl, folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const controlPlane = (namespace: string, service: string): readonly string[] => [
  'ClusterRole/gatehouse',
  'ClusterRoleBinding/gatehouse',
  'CustomResourceDefinition/mcpauthpolicies.gateway.kgateway.dev',
  `Deployment/${namespace}/gatehouse`,
  `Namespace/${namespace}`,
  `PodDisruptionBudget/${namespace}/gatehouse`,
  `Role/${namespace}/gatehouse-leader-election`,
  `RoleBinding/${namespace}/gatehouse-leader-election`,
  `Service/${namespace}/${service}`,
  `ServiceAccount/${namespace}/gatehouse`,
];
const gatewayParameters = 'CustomResourceDefinition/gatewayparameters.gateway.kgateway.dev';

describe.skipIf(assets === undefined)('kubectl kustomize', () => {
  it.each(kustomizations())('renders %s', (folder) => {
    const { all } = render(folder);
    expect(all.length).toBeGreaterThan(0);
    for (const manifest of all) expect(manifest).toMatchObject({ apiVersion: expect.stringMatching(/\w/) });
    expect(new Set(all.map(idOf)).size).toBe(all.length);
  });

  it('renders the base, which replaces kgateway', () => {
    expect(ids(render('.'))).toEqual([...controlPlane('kgateway-system', 'kgateway'), gatewayParameters].sort());
  });

  it('renders the namespaced variant with a Role in the watched namespace', () => {
    const expected = [
      ...controlPlane('kgateway-system', 'kgateway'),
      gatewayParameters,
      'Role/default/gatehouse',
      'RoleBinding/default/gatehouse',
    ];
    expect(ids(render('namespaced'))).toEqual(expected.sort());
  });

  it("renders the overlay beside kgateway without names of kgateway's objects", () => {
    const manifests = render('beside-kgateway');
    expect(ids(manifests)).toEqual([...controlPlane('gatehouse-system', 'gatehouse')].sort());
    for (const { subjects } of [...manifests.of('ClusterRoleBinding'), ...manifests.of('RoleBinding')]) {
      expect(subjects).toEqual([{ kind: 'ServiceAccount', name: 'gatehouse', namespace: 'gatehouse-system' }]);
    }
  });

  it.each(['.', 'namespaced', 'beside-kgateway'])(
    'keeps the labels of Service, pods and selectors equal in %s',
    (variant) => {
      const manifests = render(variant);
      const { selector, template } = manifests.only('Deployment').spec;
      expect(template.metadata.labels).toMatchObject(manifests.only('Service').spec.selector);
      expect(template.metadata.labels).toMatchObject(selector.matchLabels);
    },
  );

  it('labels the Namespace of every variant as restricted', () => {
    for (const variant of ['.', 'namespaced', 'beside-kgateway']) {
      expect(render(variant).all.find(({ kind }) => kind === 'Namespace')?.metadata.labels).toMatchObject({
        'pod-security.kubernetes.io/enforce': 'restricted',
      });
    }
  });
});

/** The environment variables of the API server that the kubelet sets in every pod. */
const inPod = { KUBERNETES_SERVICE_HOST: '10.96.0.1', KUBERNETES_SERVICE_PORT: '443' };

describe.skipIf(assets === undefined)('the arguments of a variant', () => {
  const settings = (manifests: Manifests): ReturnType<typeof serveSettings> => {
    const [command, ...args] = manifests.only('Deployment').spec.template.spec.containers[0].args;
    expect(command).toBe('serve');
    return serveSettings(readFlags([...serveFlags, ...logFlags], args, inPod), inPod);
  };

  it('are the defaults in the base', () => {
    expect(settings(render('.'))).toMatchObject({
      input: { from: 'cluster', statusWriting: { by: 'leader' } },
      namespaces: [],
      controllerName: 'kgateway.dev/kgateway',
    });
  });

  it('name the namespaces that have a Role, with that of the parameters of the class', () => {
    const manifests = render('namespaced');
    const { namespaces } = settings(manifests);
    const withRole = manifests.of('Role').filter(({ metadata }) => metadata.name === 'gatehouse');
    expect(namespaces).toEqual(withRole.map(({ metadata }) => metadata.namespace));
    const { spec }: { spec: { parametersRef: { namespace: string } } } = JSON.parse(
      JSON.stringify(shipped('examples/guide/2-gatewayclass.yaml').all[0]),
    );
    expect(namespaces).toContain(spec.parametersRef.namespace);
  });

  it('set another controller name beside kgateway', () => {
    expect(settings(render('beside-kgateway')).controllerName).toBe('gatehouse.dev/gatehouse');
  });
});

/** The pods of Gateways: the label that the Gateway API specifies. */
const gatewayPods = { matchExpressions: [{ key: 'gateway.networking.k8s.io/gateway-name', operator: 'Exists' }] };

describe.skipIf(assets === undefined)('an option', () => {
  it('grants the namespaced variant read access to Namespaces', () => {
    const without = render('namespaced').only('ClusterRole').rules;
    expect(overlay(['namespaced'], ['components/namespaces']).only('ClusterRole').rules).toEqual([
      ...without,
      { apiGroups: [''], resources: ['namespaces'], verbs: ['list', 'watch'] },
    ]);
  });

  it.each([
    ['.', ''],
    ['beside-kgateway', 'namespace: gatehouse-system'],
  ])('secures the port, the gateways and the operators of %s', (variant, more) => {
    const names = ['xds-tls', 'xds-tls-cert-manager', 'xds-auth-token', 'debug-auth-token'];
    const manifests = overlay(
      [variant],
      names.map((name) => `components/${name}`),
      more,
    );
    const { metadata, spec } = manifests.only('Deployment');
    const { securityContext, volumes } = JSON.parse(JSON.stringify(spec.template.spec));
    expect(securityContext).toMatchObject({ fsGroup: 65_532 });
    expect(volumes).toMatchObject([{ secret: { secretName: 'gatehouse-xds-tls', defaultMode: 0o440 } }]);
    const certificates = manifests.all.filter((manifest) => idOf(manifest).startsWith('Certificate/'));
    expect(certificates.map(idOf)).toContain(`Certificate/${metadata.namespace}/gatehouse-xds`);
    for (const { subjects } of manifests.of('ClusterRoleBinding')) {
      expect(subjects).toEqual([{ kind: 'ServiceAccount', name: 'gatehouse', namespace: metadata.namespace }]);
    }
  });

  it('changes no Service but its own', () => {
    const folder = mkdtempSync(join(tmpdir(), 'gatehouse-overlay-'));
    try {
      const other = { apiVersion: 'v1', kind: 'Service', metadata: { name: 'other' }, spec: { ports: [{ port: 80 }] } };
      writeFileSync(join(folder, 'other.yaml'), JSON.stringify(other));
      const text = overlayText(folder, ['.'], ['components/xds-tls']);
      writeFileSync(join(folder, 'kustomization.yaml'), text.replace('resources: [', 'resources: ["other.yaml", '));
      const services = rendered(kubectl, folder).of('Service');
      const own = services.find(({ metadata }) => metadata.name === 'kgateway')?.spec.ports;
      expect(services.find(({ metadata }) => metadata.name === 'other')).toMatchObject({ spec: other.spec });
      expect(own?.map(({ appProtocol }) => appProtocol)).toEqual([undefined, 'http']);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it.each([
    ['.', ''],
    ['beside-kgateway', 'namespace: gatehouse-system'],
  ])('adds a NetworkPolicy for the pods and ports of %s', (variant, more) => {
    const manifests = overlay([variant], ['components/network-policy'], more);
    const { metadata, spec } = manifests.only('Deployment');
    const policy = manifests.all.find(({ kind }) => kind === 'NetworkPolicy');
    expect(policy?.metadata.namespace).toBe(metadata.namespace);
    expect(policy).toMatchObject({
      spec: { podSelector: spec.selector, ingress: [{ ports: [{ port: 'xds' }] }, { ports: [{ port: 'metrics' }] }] },
    });
    expect(policy).toMatchObject({ spec: { ingress: [{ from: [{ podSelector: gatewayPods }] }, {}] } });
    expect(spec.template.spec.containers[0].ports.map(({ name }) => name)).toEqual(['xds', 'metrics']);
  });
});
